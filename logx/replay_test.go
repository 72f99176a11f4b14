package logx

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vitrine/logx/record"
	"vitrine/logx/ring"
	"vitrine/logx/segment"
)

// strand leaves n records in the ring of a log that has written one, as a crash does.
func strand(t *testing.T, c Config, n int) {
	t.Helper()
	disk := newFaultyFS()
	c.FS = disk
	l := open(t, c)
	write(t, l, Entry{Message: "written"})
	flush(t, l)
	disk.before(func() error { return syscall.ENOSPC })
	for range n {
		write(t, l, Entry{Message: "stranded"})
	}
	if err := l.Close(); err == nil {
		t.Fatal("closed without an error")
	}
}

func ringOf(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.ring"))
	if err != nil || len(found) != 1 {
		t.Fatalf("rings %v in %q, want one: %v", found, dir, err)
	}
	return found[0]
}

func TestCopyOfADirectoryLeavesTheOriginalAlone(t *testing.T) {
	disk := newFaultyFS()
	l := open(t, Config{FS: disk})
	write(t, l, Entry{Message: "original"})
	flush(t, l)
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(l.cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	disk.before(func() error { return syscall.ENOSPC })
	write(t, l, Entry{Message: "only in the ring of the original"})
	before, err := os.Stat(l.ring.Path())
	if err != nil {
		t.Fatal(err)
	}
	second := open(t, Config{Dir: backup, RingDir: l.cfg.RingDir})
	if got := second.Stats().Next; got != 2 {
		t.Errorf("the copy begins with %d, want 2", got)
	}
	if after, err := os.Stat(l.ring.Path()); err != nil || !os.SameFile(before, after) {
		t.Errorf("the ring of the original is gone or another's: %v", err)
	}
	disk.before(nil)
}

func TestRingIsFoundWithoutLock(t *testing.T) {
	c := Config{Dir: t.TempDir(), RingDir: t.TempDir()}
	strand(t, c, 3)
	if err := os.Remove(filepath.Join(c.Dir, "LOCK")); err != nil {
		t.Fatal(err)
	}
	if got := open(t, c).Stats().Next; got != 5 {
		t.Errorf("next is %d, want 5", got)
	}
}

func TestRingCopiedWithItsDirectoryIsReplayed(t *testing.T) {
	dir := t.TempDir()
	strand(t, Config{Dir: dir, RingDir: dir}, 3)
	moved := t.TempDir()
	if err := os.CopyFS(moved, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if got := open(t, Config{Dir: moved, RingDir: moved}).Stats().Next; got != 5 {
		t.Errorf("next is %d, want 5", got)
	}
}

func TestReplayKeepsTheNamesOfTypes(t *testing.T) {
	disk := newFaultyFS()
	c := Config{Dir: t.TempDir(), RingDir: t.TempDir(), FS: disk, Types: []string{"guild", "arena"}}
	l := open(t, c)
	guild, _ := l.Types().Parse("guild")
	arena, _ := l.Types().Parse("arena")
	write(t, l, Entry{Type: guild, Message: "written"})
	flush(t, l)
	disk.before(func() error { return syscall.ENOSPC })
	write(t, l, Entry{Type: guild, Message: "stranded"})
	write(t, l, Entry{Type: arena, Message: "nameless"})
	l.Close()
	c.FS, c.Types = nil, []string{"auction", "guild"}
	closeLog(t, open(t, c))
	same(t, lines(t, c.Dir), []string{"[guild] [INFO / 1] written", "[guild] [INFO / 2] stranded", "[system] [INFO / 3] nameless"})
}

func TestDamagedRingIsToldOfAndKept(t *testing.T) {
	c := Config{Dir: t.TempDir(), RingDir: t.TempDir()}
	strand(t, c, 3)
	path := ringOf(t, c.RingDir)
	if err := os.Truncate(path, 5000); err != nil {
		t.Fatal(err)
	}
	var said syncBuffer
	c.Complain = &said
	open(t, c)
	if _, err := os.Stat(path + ".bad"); err != nil || !strings.Contains(said.String(), ".bad") {
		t.Errorf("not kept (%v) or not told of: %q", err, said.String())
	}
}

// A ring is a file, and so hostile: a payload that no record can hold is none.
func TestHostileRingIsReadWithoutPanic(t *testing.T) {
	c := Config{Dir: t.TempDir(), RingDir: t.TempDir()}
	strand(t, c, 1)
	owner, err := segment.ReadOwner(segment.OS(), c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.Create(ring.Config{Path: owner.Ring, Slots: 64, Store: owner.Store, First: 2})
	if err != nil {
		t.Fatal(err)
	}
	huge, err := r.Spill(make([]byte, record.MaxBytes))
	if err != nil {
		t.Fatal(err)
	}
	s, index, err := r.Claim()
	if err != nil {
		t.Fatal(err)
	}
	r.PublishSpilled(s, index, huge)
	closeLog(t, open(t, c))
	if report := verify(t, c.Dir); report.Tombstones != 1 {
		t.Errorf("%d tombstones, want 1", report.Tombstones)
	}
}

// hooked is the file system with a function before each write and each sync of files with one of the suffixes.
type hooked struct {
	segment.FS
	suffixes    string
	write, sync func() error
	syncs       atomic.Int32
}

type hookedFile struct {
	segment.File
	fs *hooked
}

func (h *hooked) OpenFile(name string, flag int, perm os.FileMode) (segment.File, error) {
	file, err := h.FS.OpenFile(name, flag, perm)
	if err != nil || !strings.Contains(h.suffixes, filepath.Ext(name)) {
		return file, err
	}
	return &hookedFile{file, h}, nil
}

func (f *hookedFile) WriteAt(b []byte, at int64) (int, error) {
	if f.fs.write != nil {
		if err := f.fs.write(); err != nil {
			return 0, err
		}
	}
	return f.File.WriteAt(b, at)
}

func (f *hookedFile) Sync() error {
	f.fs.syncs.Add(1)
	if f.fs.sync != nil {
		if err := f.fs.sync(); err != nil {
			return err
		}
	}
	return f.File.Sync()
}

func TestReplayedRecordsAreSyncedBeforeTheirRingGoes(t *testing.T) {
	c := Config{Dir: t.TempDir(), RingDir: t.TempDir()}
	strand(t, c, 3)
	disk := &hooked{FS: segment.OS(), suffixes: ".log"}
	c.FS = disk
	l := open(t, c)
	if disk.syncs.Load() == 0 {
		t.Error("the ring is gone and its records were not synced")
	}
	closeLog(t, l)
}

func TestDropsBeforeCloseAreTold(t *testing.T) {
	disk := newFaultyFS()
	l := open(t, Config{FS: disk, RingRecords: 64})
	dir := l.cfg.Dir
	disk.before(func() error {
		if l.closed.Load() {
			return nil
		}
		return syscall.ENOSPC
	})
	for l.Stats().Dropped[record.Info] < 3 {
		l.Write(&Entry{Message: "x"})
	}
	closeLog(t, l)
	all := lines(t, dir)
	if last := all[len(all)-1]; !strings.Contains(last, "records dropped") {
		t.Errorf("the last line is %q", last)
	}
	verify(t, dir)
	if got := open(t, Config{Dir: dir}).Stats().Next; got != uint64(len(all))+1 {
		t.Errorf("next is %d after %d records", got, len(all))
	}
}

func TestFailureOfTheIndexAloneEnds(t *testing.T) {
	var fails atomic.Bool
	disk := &hooked{FS: segment.OS(), suffixes: ".idx .warn", write: func() error {
		if fails.Load() {
			return syscall.ENOSPC
		}
		return nil
	}}
	l := open(t, Config{FS: disk, Sync: SyncNone})
	fails.Store(true)
	write(t, l, Entry{Level: record.Warn, Message: "posting"})
	flush(t, l)
	waitUntil(t, "it fails", func() bool { return l.Stats().Failing })
	fails.Store(false)
	waitUntil(t, "it is well again", func() bool { return !l.Stats().Failing })
}

// waitUntil yields until something holds.
func waitUntil(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestFailingSyncIsSaidOnceASecond(t *testing.T) {
	disk := &hooked{FS: segment.OS(), suffixes: ".log", sync: func() error { return syscall.EIO }}
	var said syncBuffer
	l := open(t, Config{FS: disk, Sync: SyncEach, Complain: &said})
	begin := time.Now()
	for l.Stats().Errors < 6 {
		l.Write(&Entry{Message: "x"})
	}
	if got, most := strings.Count(said.String(), "\n"), int(time.Since(begin).Seconds())+1; got > most {
		t.Errorf("%d lines, want at most %d:\n%s", got, most, said.String())
	}
	if strings.Contains(said.String(), "again") {
		t.Errorf("nothing was mended, and it said %q", said.String())
	}
}

func TestComplaintsOfSeveralGoroutinesAreLines(t *testing.T) {
	var said strings.Builder // the race detector watches
	c := complainer{out: &said}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				c.say("trouble")
			}
		})
	}
	all.Wait()
	c.must("end")
	if got := said.String(); !strings.HasPrefix(got, "log: trouble\n") || !strings.Contains(got, "log: end (") {
		t.Errorf("it said %q", got)
	}
}

func TestDirectoryHasOneFormat(t *testing.T) {
	for _, first := range []Format{Binary, Text} {
		dir := t.TempDir()
		l := open(t, Config{Dir: dir, Format: first})
		write(t, l, Entry{Message: "one"})
		closeLog(t, l)
		if _, err := Open(Config{Dir: dir, Format: 1 - first, Complain: io.Discard}); err == nil || !strings.Contains(err.Error(), "other format") {
			t.Errorf("format %d after %d: %v", 1-first, first, err)
		}
	}
}
