package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Look opens the store in dir to read it: it makes, tries and changes nothing, so that bundles can be read from a disk
// that became read-only. The error of a directory that is not there wraps [fs.ErrNotExist]. What would write fails.
func Look(dir string) (*Store, error) {
	d, err := lookDisk(dir)
	if err != nil {
		return nil, fmt.Errorf("look at crash store %q: %w", dir, err)
	}
	l, err := Limits{}.withDefaults()
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return newStore(dir, frozen{d}, l, time.Now), nil
}

func lookDisk(dir string) (disk, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return rooted{root}, nil
}

// frozen is a disk on which nothing is changed.
type frozen struct{ disk }

func refused(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: syscall.EROFS} }

func (frozen) mkdir(name string) error              { return refused("mkdir", name) }
func (frozen) create(name string) (*os.File, error) { return nil, refused("create", name) }
func (frozen) rename(from, _ string) error          { return refused("rename", from) }
func (frozen) remove(name string) error             { return refused("remove", name) }
func (frozen) removeAll(name string) error          { return refused("remove", name) }
func (frozen) write(f *os.File, _ []byte) (int, error) {
	return 0, refused("write", f.Name())
}
