package logx

import (
	"io/fs"
	"path/filepath"
	"sync"

	"vitrine/logx/segment"
)

// faultyFS is the real file system with hands on its data files: gate, when set, is asked before every write to one.
type faultyFS struct {
	segment.FS
	mu   sync.Mutex
	gate func() error // guarded by mu
}

func newFaultyFS() *faultyFS { return &faultyFS{FS: segment.OS()} }

// before sets what is asked before every write from now on; nil lets all pass.
func (f *faultyFS) before(gate func() error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gate = gate
}

func (f *faultyFS) ask() error {
	f.mu.Lock()
	gate := f.gate
	f.mu.Unlock()
	if gate == nil {
		return nil
	}
	return gate()
}

func (f *faultyFS) OpenFile(name string, flag int, perm fs.FileMode) (segment.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil || filepath.Ext(name) != ".log" && filepath.Ext(name) != textSuffix {
		return file, err
	}
	return &faultyFile{file, f}, nil
}

type faultyFile struct {
	segment.File
	fs *faultyFS
}

func (f *faultyFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.fs.ask(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, at)
}
