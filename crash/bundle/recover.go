package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"vitrine/crash/traceback"
)

const (
	problemInterrupted = "interrupted: the writer died before the bundle was complete"
	maxTextRead        = 16 << 20 // bytes of a crash.txt in which the reason is looked for
)

// Recover finishes what writers that died left behind, with what it has, and returns the names of the bundles that
// came of it. What is empty is removed, and so is what a removal or a beginning left half done. alive tells whether a
// process lives; it is asked only where the system has no locks to tell that a writer lives; nil = none does. While
// another process has the lock of the store, for longer than LockWait, nothing happens.
func (s *Store) Recover(alive func(pid int) bool) []string {
	var done []string
	s.locked(func() error {
		names, _ := s.disk.names(".") // what can be read is recovered
		for _, name := range names {
			if !isDir(s.disk, name) {
				continue
			}
			if id := s.recover(name, alive); id != "" {
				done = append(done, id)
			}
		}
		return nil
	})
	return done
}

// Supersede removes what writers that died had begun about the death of a process, because the bundle of that death is finished
// by another. started is when the process began: an older one had its number too. What is complete but for its name stays for
// Recover. While another process has the lock of the store, for longer than LockWait, nothing happens.
func (s *Store) Supersede(pid int, started time.Time) (removed []string) {
	s.locked(func() error {
		names, _ := s.disk.names(".") // what can be read is looked at
		for _, name := range names {
			base, partial := strings.CutSuffix(name, suffixPartial)
			l, ours := parseLabel(base)
			if partial && ours && l.pid == pid && l.class.Dying() && l.at.After(started.Add(-time.Second)) && s.discardDead(name) {
				removed = append(removed, name)
			}
		}
		return nil
	})
	return removed
}

// discardDead removes what a writer that died had begun, and tells whether it did.
func (s *Store) discardDead(name string) bool {
	lock, dead := s.dead(name, nil)
	if !dead || lock == nil {
		return false // without a lock nobody knows
	}
	defer lock.Close()
	if exists(s.disk, name+"/"+metaName) {
		return false
	}
	return s.disk.removeAll(name) == nil
}

// recover deals with one directory, and returns the name of the bundle that came of it, if any.
func (s *Store) recover(name string, alive func(pid int) bool) string {
	base, partial := strings.CutSuffix(name, suffixPartial)
	gone, removed := strings.CutSuffix(name, suffixGone)
	switch l, ours := parseLabel(base); {
	case partial && ours:
		return s.finishDead(name, l, alive)
	case ours:
		s.mend(name)
	case removed:
		if _, ours := parseLabel(gone); ours {
			s.disk.removeAll(name)
		}
	case isBegin(name):
		s.sweep(name, alive)
	}
	return ""
}

// isBegin tells whether a name is one of newBegin.
func isBegin(name string) bool {
	digits, begin := strings.CutPrefix(name, prefixBegin)
	return begin && len(digits) == 16 && isHex(digits)
}

// dead takes the lock of a writer that is not alive. Both results are nothing while it lives. A directory may get its
// final name at any moment, and another one its old name: what is looked at must still be what was there before.
func (s *Store) dead(name string, alive func(pid int) bool) (lock *os.File, dead bool) {
	mark := name + "/" + writerName
	before, err := s.disk.lstat(name)
	if err != nil {
		return nil, false
	}
	f, err := s.disk.open(mark)
	if err != nil { // tampered with: what has a name has a lock
		return nil, (errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrCorrupt)) && s.same(name, before)
	}
	opened, err := f.Stat()
	if err == nil {
		err = s.disk.lock(f)
	}
	switch {
	case err == nil && s.same(mark, opened):
		return f, true
	case errors.Is(err, errors.ErrUnsupported):
		pid := readPID(f)
		dead = (alive == nil || pid == 0 || !alive(pid)) && s.same(mark, opened)
	}
	f.Close()
	return nil, dead
}

// same tells whether a name is still what it was.
func (s *Store) same(name string, before fs.FileInfo) bool {
	after, err := s.disk.lstat(name)
	return err == nil && os.SameFile(before, after)
}

// readPID reads the process id of a writer, 0 when there is none.
func readPID(f *os.File) int {
	b, _ := io.ReadAll(io.LimitReader(f, 32))
	text, _ := strings.CutPrefix(string(b), "pid ")
	pid, _ := strconv.Atoi(strings.TrimSuffix(text, "\n"))
	return max(pid, 0)
}

// sweep removes a beginning that came to nothing. One that has no lock yet may be in the making: it goes only while it
// is empty, and is then made again.
func (s *Store) sweep(name string, alive func(pid int) bool) {
	lock, dead := s.dead(name, alive)
	switch {
	case !dead:
	case lock == nil && !exists(s.disk, name+"/"+writerName):
		s.disk.remove(name)
	default:
		s.disk.removeAll(name)
	}
	if lock != nil {
		lock.Close()
	}
}

// mend removes from a bundle with a final name what a process that died right after giving it, or while it changed
// meta.json, left there. Nobody else does so meanwhile: changes are made under the lock of the store, drafts never.
func (s *Store) mend(name string) {
	for _, own := range []string{writerName, draftName, draftName + suffixPart, metaName + suffixPart} {
		if exists(s.disk, name+"/"+own) {
			s.disk.remove(name + "/" + own)
		}
	}
	if exists(s.disk, name+"/"+coreName) {
		s.mendCore(name)
	}
}

// mendCore removes a core of which meta.json already says that it is removed.
func (s *Store) mendCore(name string) {
	if m, err := readMeta(s.disk, name+"/"+metaName); err == nil && m.Core.State == CoreNone && m.Core.Why == whyPruned {
		s.disk.remove(name + "/" + coreName)
	}
}

// finishDead finishes the bundle of a writer that died.
func (s *Store) finishDead(name string, l label, alive func(pid int) bool) string {
	lock, dead := s.dead(name, alive)
	if !dead {
		return ""
	}
	w := &Writer{store: s, label: l, name: name, lock: lock}
	defer w.unlock()
	m, err := readMeta(s.disk, name+"/"+metaName)
	if err == nil && m.ID == l.String() && !exists(s.disk, m.ID) {
		return w.publish(m.ID)
	}
	if bytes := w.adopt(); bytes == 0 {
		w.Discard()
		return ""
	}
	id, _ := w.Finish(w.interrupted()) // what cannot be finished now is there the next time
	if id != "" {
		s.mend(id)
	}
	return id
}

// publish gives a bundle that is complete its name.
func (w *Writer) publish(id string) string {
	d := w.store.disk
	if err := d.rename(w.name, id); err != nil {
		return ""
	}
	w.name, w.done = id, true
	d.sync(".")
	w.store.mend(id)
	return id
}

// adopt takes over the files that are there, and returns how many bytes they have. One that was being written is cut.
func (w *Writer) adopt() (bytes int64) {
	names, _ := w.store.disk.names(w.name)
	for _, name := range names {
		info, err := w.store.disk.lstat(w.name + "/" + name)
		base, open := strings.CutSuffix(name, suffixPart)
		if err != nil || !info.Mode().IsRegular() || !plainName(base) || w.find(base) != nil || len(w.files) >= MaxFiles {
			continue
		}
		if open && exists(w.store.disk, w.name+"/"+base) {
			continue
		}
		w.files = append(w.files, part{name: base, cut: open, open: open})
		bytes += info.Size()
	}
	return bytes
}

// interrupted makes what meta.json can say: what the writer had drafted, else what the text tells.
func (w *Writer) interrupted() *Meta {
	m, err := readMeta(w.store.disk, w.name+"/"+draftName)
	if err != nil {
		m = &Meta{Where: Where{Worker: -1}}
		w.describe(m)
	}
	m.Class = w.label.class // the name may have changed since the draft
	if own := w.label.fingerprint; own != short("") && own != short(m.Fingerprint) {
		m.Fingerprint = ""
	}
	switch core := w.find(coreName); {
	case core == nil && (m.Core.State != CoreNone || m.Core.Why == ""):
		m.dropCore(problemInterrupted)
	case core != nil && core.cut:
		m.Core.State, m.Core.Why, m.Core.File = CoreCut, problemInterrupted, coreName
	}
	m.Problems = append(m.Problems, problemInterrupted)
	return m
}

// describe fills in what the text of the crash tells.
func (w *Writer) describe(m *Meta) {
	name := w.name + "/" + textName
	if p := w.find(textName); p == nil {
		return
	} else if p.open {
		name += suffixPart
	}
	f, err := w.store.disk.open(name)
	if err != nil {
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTextRead))
	if err != nil {
		w.problem(fmt.Sprintf("read %s: %v", textName, err))
	}
	d := traceback.Parse(text)
	m.Reason, m.ReasonHow, m.Goroutines = d.Reason, "text", len(d.Goroutines)
	g := d.Crashed()
	if g == nil {
		return
	}
	m.Goroutine = g.ID
	if app := g.App(); len(app) > 0 {
		m.Where.Function, m.Where.File, m.Where.Line = app[0].Func, app[0].File, app[0].Line
		m.Fingerprint = traceback.Fingerprint(string(w.label.class), app)
	}
}
