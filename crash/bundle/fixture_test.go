package bundle

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// noon is when the tests begin.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 123e6, time.UTC)

// clock is a clock that moves when it is told to.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// newTestStore opens a store in a new directory.
func newTestStore(t testing.TB, l Limits) (*Store, *clock) {
	t.Helper()
	c := &clock{at: noon}
	s, err := Open(filepath.Join(t.TempDir(), "crash"), l, c.now)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	s.disk = unsynced{s.disk}
	return s, c
}

// unsynced is a disk that waits for no hardware. What survives a loss of power is not what these tests are about.
type unsynced struct{ disk }

func (unsynced) sync(string) error { return nil }

// fixtureText is the text of a crash, in 10,000 bytes.
var fixtureText = "panic: it broke\n" + strings.Repeat(" ", 10000-16)

// crashed writes a finished bundle with a core of that many bytes, -1 = none.
func crashed(t testing.TB, s *Store, class Class, fingerprint string, at time.Time, core int) string {
	t.Helper()
	w, err := s.Begin(class, fingerprint, 4711, at)
	must(t, err)
	must(t, w.Write("crash.txt", []byte(fixtureText)))
	m := &Meta{Class: class, Fingerprint: fingerprint, Time: at, Where: Where{Worker: -1}}
	if core >= 0 {
		must(t, w.Write(coreName, make([]byte, core)))
		m.Core = Core{State: CoreWritten, File: coreName, Bytes: int64(core)}
	}
	id, err := w.Finish(m)
	must(t, err)
	return id
}

// ids lists the names of the bundles, newest first.
func ids(t testing.TB, s *Store) []string {
	t.Helper()
	entries, err := s.List()
	must(t, err)
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// tree lists everything below a directory, with what is in it.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		b.WriteString(path + " " + info.Mode().String())
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			must(t, err)
			b.WriteString(" " + string(text))
		}
		b.WriteString("\n")
		return nil
	}))
	return b.String()
}

// faulty is a disk on which some steps fail.
type faulty struct {
	disk
	fail func(op, name string) error // nil = the step is done
	room func() (free, total int64, err error)
	half bool // a write that fails takes the first half
}

func (d *faulty) or(op, name string, do func() error) error {
	if err := d.fail(op, name); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return do()
}

func (d *faulty) mkdir(name string) error {
	return d.or("mkdir", name, func() error { return d.disk.mkdir(name) })
}
func (d *faulty) rename(from, to string) error {
	return d.or("rename", to, func() error { return d.disk.rename(from, to) })
}
func (d *faulty) remove(name string) error {
	return d.or("remove", name, func() error { return d.disk.remove(name) })
}
func (d *faulty) removeAll(name string) error {
	return d.or("removeAll", name, func() error { return d.disk.removeAll(name) })
}
func (d *faulty) sync(name string) error {
	return d.or("sync", name, func() error { return d.disk.sync(name) })
}
func (d *faulty) lock(f *os.File) error {
	return d.or("lock", filepath.Base(f.Name()), func() error { return d.disk.lock(f) })
}
func (d *faulty) create(name string) (f *os.File, err error) {
	err = d.or("create", name, func() error { f, err = d.disk.create(name); return err })
	return f, err
}
func (d *faulty) open(name string) (f *os.File, err error) {
	err = d.or("open", name, func() error { f, err = d.disk.open(name); return err })
	return f, err
}
func (d *faulty) space() (free, total int64, err error) {
	if d.room != nil {
		return d.room()
	}
	return d.disk.space()
}

func (d *faulty) write(f *os.File, b []byte) (int, error) {
	err := d.fail("write", filepath.Base(f.Name()))
	if err == nil {
		return d.disk.write(f, b)
	}
	n := 0
	if d.half {
		n, _ = d.disk.write(f, b[:len(b)/2])
	}
	return n, &fs.PathError{Op: "write", Path: f.Name(), Err: err}
}

// breakDisk puts a disk on which nothing fails yet under a store.
func breakDisk(s *Store) *faulty {
	d := &faulty{disk: s.disk, fail: func(string, string) error { return nil }}
	s.disk = d
	return d
}

// full fails what needs room.
func full(op, _ string) error {
	if op == "mkdir" || op == "create" || op == "write" {
		return syscall.ENOSPC
	}
	return nil
}

// readOnly fails what changes anything.
func readOnly(op, _ string) error {
	if op == "open" || op == "lock" {
		return nil
	}
	return syscall.EROFS
}
