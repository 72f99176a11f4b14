package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
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

// Excess tells what Prune would remove now: the ids of bundles, and of bundles that stay but lose their core. It changes nothing.
func (s *Store) Excess() (bundles, cores []string, err error) {
	d := &imagined{frozen: frozen{s.disk}}
	var r Removed
	if err := newStore(s.dir, d, s.limits, s.now).prune(&r); err != nil {
		return nil, nil, fmt.Errorf("prune crash store %q: %w", s.dir, err)
	}
	return d.bundles, d.cores, nil
}

// imagined is a disk on which removals are only noted.
type imagined struct {
	frozen
	bundles, cores []string
}

func (d *imagined) removeAll(string) error { return nil } // the name went before

func (d *imagined) rename(from, _ string) error {
	d.bundles = append(d.bundles, from)
	return nil
}

func (d *imagined) remove(name string) error {
	if path.Base(name) != coreName {
		return refused("remove", name)
	}
	d.cores = append(d.cores, path.Dir(name))
	return nil
}
