package logx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"vitrine/logx/record"
	"vitrine/logx/ring"
)

// sharedMemory is where Linux keeps files in memory only.
const sharedMemory = "/dev/shm"

// ringName is the name of the ring's file: of this directory alone, so that the copy of a directory does not take the ring
// of the original.
func (l *Log) ringName() string {
	return fmt.Sprintf("vitrine-log-%016x-%016x.ring", l.lock.Store(), identity(l.cfg.Dir))
}

// ringDirs lists where the ring may lie, the best place first.
func (l *Log) ringDirs() []string {
	if l.cfg.RingDir != "" {
		return []string{l.cfg.RingDir}
	}
	if info, err := os.Stat(sharedMemory); err == nil && info.IsDir() {
		return []string{sharedMemory, l.cfg.Dir}
	}
	return []string{l.cfg.Dir}
}

// oldRings lists the rings that an earlier owner of the directory may have left: the one LOCK names, if it is this
// directory's, those at the places where one would be now, and whatever lies in the directory itself.
func (l *Log) oldRings() []string {
	var paths []string
	add := func(path string) {
		if _, err := os.Lstat(path); err == nil && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	if named := l.lock.Ring(); filepath.Base(named) == l.ringName() {
		add(named)
	}
	for _, dir := range l.ringDirs() {
		add(filepath.Join(dir, l.ringName()))
	}
	inside, _ := filepath.Glob(filepath.Join(l.cfg.Dir, fmt.Sprintf("vitrine-log-%016x-*.ring", l.lock.Store())))
	for _, path := range inside {
		add(path)
	}
	return paths
}

// replay writes what the rings of earlier owners hold from next on, and returns the index that follows. A ring is removed
// when all of it is in the files; one that cannot be read is put aside.
func (l *Log) replay(files output, next uint64) (uint64, error) {
	for _, path := range l.oldRings() {
		var err error
		if next, err = l.replayRing(files, path, next); err != nil {
			return next, fmt.Errorf("write what ring %q holds: %w", path, err)
		}
	}
	return next, nil
}

func (l *Log) replayRing(files output, path string, next uint64) (uint64, error) {
	var failed error
	old, err := record.NewTypes(ring.DeadTypes(path, l.lock.Store())...)
	if err != nil {
		old = l.types
	}
	err = ring.ReadDead(path, l.lock.Store(), next, func(h *record.Head, payload []byte) bool {
		h.Type = l.renumbered(h.Type, old)
		l.refilled = l.refilled || h.Index == l.found.Next
		if h.Index > next { // the files have lost what was in them, and the slots have moved on
			l.lose(next, h.Index-1)
		}
		failed = add(files, h, payload, next)
		next = max(next, h.Index+1)
		return failed == nil
	})
	if errors.Is(err, ring.ErrForeign) {
		aside := path + ".bad"
		l.complain.must("%v: it is kept as %q", err, aside)
		return next, os.Rename(path, aside)
	}
	if err = errors.Join(err, failed, files.Flush()); err == nil && l.cfg.Sync != SyncNone {
		err = files.Sync()
	}
	if err != nil {
		return next, err
	}
	if err = os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return next, err
}

// renumbered returns the number that a type of an earlier run has now. What has no name any more is of type system.
func (l *Log) renumbered(typ record.Type, old *record.Types) record.Type {
	if typ < record.FirstCustom {
		return typ
	}
	now, _ := l.types.Parse(old.Name(typ))
	return now
}

// add gives one record of a dead ring to the files, which expect next.
func add(files output, h *record.Head, payload []byte, next uint64) error {
	if h.Index > next {
		if err := files.Skip(h.Index); err != nil {
			return err
		}
	}
	if h.Flags&record.FlagTombstone != 0 {
		payload = record.AppendPayload(nil, nil, nil, tombstone, nil)
	}
	files.Add(h, payload)
	if files.Buffered() < flushBytes {
		return nil
	}
	return files.Flush()
}

// tombstone is the message of a record whose caller was killed while it wrote it.
const tombstone = "record lost: the process died while it was written"

// newRing makes the ring where its memory is cheapest, and notes the place for whoever opens the log after a crash.
func (l *Log) newRing(first uint64) (*ring.Ring, error) {
	var err error
	for _, dir := range l.ringDirs() {
		path := filepath.Join(dir, l.ringName())
		if err = l.lock.SetRing(path); err != nil {
			return nil, err
		}
		var r *ring.Ring
		r, err = ring.Create(ring.Config{Path: path, Slots: l.cfg.RingRecords, Store: l.lock.Store(), First: first, Types: l.types.Custom()})
		if r != nil {
			return r, nil // with an error: shared mappings are not to be had here
		}
	}
	return nil, err
}
