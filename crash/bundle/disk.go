package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	dirMode  = 0o700
	fileMode = 0o600
)

// errHeld says that somebody else holds a lock.
var errHeld = errors.New("lock is held")

// disk is what a store needs of a file system. Names are relative to the directory of the store, with slashes, and none
// leads out of it. Tests put one in its place that is full, fails, or dies between two steps.
type disk interface {
	mkdir(name string) error                 // mode 0700
	create(name string) (*os.File, error)    // mode 0600; fails when there is anything of that name
	open(name string) (*os.File, error)      // for reading; a regular file and no link
	write(f *os.File, b []byte) (int, error) // of a file that create returned
	rename(from, to string) error            // in one step
	remove(name string) error                // a file, or an empty directory
	removeAll(name string) error             // a directory; links in it are removed, not followed
	lstat(name string) (fs.FileInfo, error)  // of a link, the link
	names(name string) ([]string, error)     // of a directory, in no order, at most MaxNames
	sync(name string) error                  // a file, or the names of a directory
	lock(f *os.File) error                   // until f is closed; does not wait: errHeld, or errors.ErrUnsupported
	space() (free, total int64, err error)   // bytes; errors.ErrUnsupported where it cannot be told
	close() error
}

// rooted is the disk of the operating system.
type rooted struct{ root *os.Root }

// openDisk makes the directory and opens it. The directory itself may be reached through links, which is for the
// operator to say; nothing below it is.
func openDisk(dir string) (disk, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return rooted{root}, nil
}

// makeDir makes a directory of mode 0700. One that is there already is tightened when it is empty or a store; what
// holds other things as well keeps its mode.
func makeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	err := os.Mkdir(dir, dirMode)
	if err == nil {
		return os.Chmod(dir, dirMode) // whatever the umask
	}
	info, statErr := os.Stat(dir)
	switch {
	case !errors.Is(err, fs.ErrExist) || statErr != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	case info.Mode().Perm()&0o077 != 0 && isOurs(dir):
		return os.Chmod(dir, dirMode)
	}
	return nil
}

// isOurs tells whether a directory is empty or a store.
func isOurs(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, lockName)); err == nil {
		return true
	}
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return err == io.EOF
}

func (d rooted) mkdir(name string) error {
	if err := d.root.Mkdir(name, dirMode); err != nil {
		return err
	}
	return d.root.Chmod(name, dirMode)
}

func (d rooted) create(name string) (*os.File, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(fileMode); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d rooted) open(name string) (*os.File, error) { return openRegular(d.root, name) }

// openRegular opens a regular file that is not behind a link. A pipe would block, a link could lead to another bundle.
func openRegular(root *os.Root, name string) (*os.File, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrCorrupt, name)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	if after, err := f.Stat(); err != nil || !os.SameFile(before, after) {
		return nil, errors.Join(fmt.Errorf("%w: %s changed while it was opened", ErrCorrupt, name), err, f.Close())
	}
	return f, nil
}

func (d rooted) write(f *os.File, b []byte) (int, error) { return f.Write(b) }
func (d rooted) rename(from, to string) error            { return d.root.Rename(from, to) }
func (d rooted) remove(name string) error                { return d.root.Remove(name) }
func (d rooted) removeAll(name string) error             { return d.root.RemoveAll(name) }
func (d rooted) lstat(name string) (fs.FileInfo, error)  { return d.root.Lstat(name) }
func (d rooted) lock(f *os.File) error                   { return tryLock(f) }
func (d rooted) space() (free, total int64, err error)   { return diskSpace(d.root.Name()) }
func (d rooted) close() error                            { return d.root.Close() }

func (d rooted) names(name string) ([]string, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(MaxNames)
	if err == io.EOF {
		err = nil
	}
	return names, err
}

func (d rooted) sync(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return syncFile(f)
}

// replace puts a file in the place of another in one step.
func replace(d disk, name string, data []byte, durable bool) error {
	part := name + suffixPart
	if err := d.remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := d.create(part)
	if err != nil {
		return err
	}
	_, err = d.write(f, data)
	err = errors.Join(err, f.Close())
	if err == nil && durable {
		err = d.sync(part)
	}
	if err == nil {
		err = d.rename(part, name)
	}
	if err != nil {
		return errors.Join(err, d.remove(part))
	}
	return nil
}

// readAll reads a regular file of at most max bytes; a longer one is ErrCorrupt.
func readAll(f *os.File, max int64) ([]byte, error) {
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(b)) > max {
		err = fmt.Errorf("%w: %s is longer than %d bytes", ErrCorrupt, filepath.Base(f.Name()), max)
	}
	return b, err
}

// exists tells whether there is anything of that name. What cannot be told counts as there.
func exists(d disk, name string) bool {
	_, err := d.lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// isDir tells whether a name is a directory, and no link to one.
func isDir(d disk, name string) bool {
	info, err := d.lstat(name)
	return err == nil && info.IsDir()
}

// plainName tells whether a file of a bundle may have this name: letters, digits, dots, dashes and underscores, a
// letter or digit first, at most 64, and not one that the package uses.
func plainName(name string) bool {
	const first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return name != "" && len(name) <= 64 && name != metaName && !strings.HasSuffix(name, suffixPart) &&
		strings.Contains(first, name[:1]) && strings.Trim(name, first+"._-") == ""
}
