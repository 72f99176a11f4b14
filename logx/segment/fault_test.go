package segment

import (
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// faultFS is a file system in which calls fail as a test wants. The hooks are called for every file but LOCK, with the
// name of the file below its directory; nil = all is well.
type faultFS struct {
	FS
	mu    sync.Mutex
	write func(name string, b []byte, at int64) (take int, err error) // take bytes reach the file
	fail  func(op, name string) error                                 // open sync truncate rename remove mkdir
	calls []string                                                    // op and name of each, in order
}

func newFaultFS() *faultFS { return &faultFS{FS: OS()} }

// set replaces the hooks.
func (f *faultFS) set(write func(string, []byte, int64) (int, error), fail func(op, name string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.write, f.fail = write, fail
}

func (f *faultFS) call(op, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := filepath.Base(path)
	f.calls = append(f.calls, op+" "+name)
	if f.fail == nil || name == lockName {
		return nil
	}
	return f.fail(op, name)
}

// count counts the calls of an operation on the files with a suffix.
func (f *faultFS) count(op, suffix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if ok, _ := filepath.Match(op+" *"+suffix, c); ok {
			n++
		}
	}
	return n
}

func (f *faultFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if err := f.call("open", name); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultFile{File: file, fs: f, name: name}, nil
}

func (f *faultFS) MkdirAll(name string, perm fs.FileMode) error {
	if err := f.call("mkdir", name); err != nil {
		return err
	}
	return f.FS.MkdirAll(name, perm)
}

func (f *faultFS) Rename(from, to string) error {
	if err := f.call("rename", to); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

func (f *faultFS) Remove(name string) error {
	if err := f.call("remove", name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *faultFS) SyncDir(name string) error { return f.call("syncdir", name) }

type faultFile struct {
	File
	fs   *faultFS
	name string
}

func (f *faultFile) WriteAt(b []byte, at int64) (int, error) {
	if filepath.Base(f.name) == lockName {
		return f.File.WriteAt(b, at)
	}
	_ = f.fs.call("write", f.name) // writes have a hook of their own
	f.fs.mu.Lock()
	write := f.fs.write
	f.fs.mu.Unlock()
	if write == nil {
		return f.File.WriteAt(b, at)
	}
	take, fault := write(filepath.Base(f.name), b, at)
	n, err := f.File.WriteAt(b[:take], at)
	if fault == nil {
		fault = err
	}
	return n, fault
}

// Sync is only counted: no test loses power.
func (f *faultFile) Sync() error { return f.fs.call("sync", f.name) }

func (f *faultFile) Truncate(size int64) error {
	if err := f.fs.call("truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// disk is a hook for writes: room bytes are left, what is beyond them meets ENOSPC.
type disk struct {
	room int
}

func (d *disk) write(_ string, b []byte, _ int64) (int, error) {
	take := min(len(b), d.room)
	d.room -= take
	if take < len(b) {
		return take, syscall.ENOSPC
	}
	return take, nil
}

// short is a hook for writes that take at most n bytes and see no error in that.
func short(n int) func(string, []byte, int64) (int, error) {
	return func(_ string, b []byte, _ int64) (int, error) { return min(len(b), n), nil }
}

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
