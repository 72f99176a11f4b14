package sentry

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// output is a file being written: an os.File, or a full disk in a test.
type output interface {
	io.Writer
	Sync() error
	Close() error
}

func createFile(name string) (output, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
}

// spooled is one envelope of the spool.
type spooled struct {
	id    string
	size  int64
	time  time.Time // when it was written
	tried int       // attempts that failed; of the queue alone
}

// list gives the envelopes of the spool, oldest first. Other names are left alone.
func (s *Sender) list() ([]spooled, error) {
	names, err := s.names()
	var all []spooled
	for _, name := range names {
		id, ok := strings.CutSuffix(name, suffix)
		if !ok || !isEventID(id) {
			continue
		}
		info, err := os.Lstat(s.path(name))
		if err == nil {
			all = append(all, spooled{id: id, size: info.Size(), time: info.ModTime()})
		}
	}
	slices.SortFunc(all, older)
	return all, err
}

func older(a, b spooled) int {
	if n := a.time.Compare(b.time); n != 0 {
		return n
	}
	return strings.Compare(a.id, b.id)
}

// names reads at most MaxNames names of the spool.
func (s *Sender) names() ([]string, error) {
	d, err := os.Open(s.config.Spool)
	if err != nil {
		return nil, fmt.Errorf("list spool: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(MaxNames)
	if err != nil && err != io.EOF {
		return names, fmt.Errorf("list spool: %w", err)
	}
	return names, nil
}

// temp makes a new file for what fill writes, durable when temp returns. On an error there is no file.
func (s *Sender) temp(fill func(io.Writer) error) (name string, err error) {
	name = s.path(tempPrefix + newID())
	f, err := s.hooks.create(name)
	if err != nil {
		return "", err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, remove(name))
	}
	return name, nil
}

// writeFile replaces a file of the spool as a whole.
func (s *Sender) writeFile(name string, data []byte) error {
	tmp, err := s.temp(func(w io.Writer) error { _, err := w.Write(data); return err })
	if err != nil {
		return fmt.Errorf("write %q: %w", s.path(name), err)
	}
	return s.publish(tmp, name)
}

// publish gives a temporary file its name.
func (s *Sender) publish(tmp, name string) error {
	if err := os.Rename(tmp, s.path(name)); err != nil {
		return errors.Join(err, remove(tmp))
	}
	return syncDir(s.config.Spool)
}

// setAside takes a damaged file out of the way and keeps it for a look, the last MaxAside of them.
func (s *Sender) setAside(name string) error {
	err := os.Rename(s.path(name), s.path(asideName+"/"+name))
	if missing(err) {
		return nil
	}
	if err != nil {
		return errors.Join(err, remove(s.path(name)))
	}
	old, err := os.ReadDir(s.path(asideName))
	if err != nil || len(old) <= MaxAside {
		return err
	}
	slices.SortFunc(old, func(a, b os.DirEntry) int { return modified(a).Compare(modified(b)) })
	for _, e := range old[:len(old)-MaxAside] {
		err = errors.Join(err, os.RemoveAll(s.path(asideName+"/"+e.Name())))
	}
	return err
}

func modified(e os.DirEntry) time.Time {
	info, err := e.Info()
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// sweepTemps removes what writers that died left behind.
func (s *Sender) sweepTemps() error {
	names, err := s.names()
	for _, name := range names {
		if !strings.HasPrefix(name, tempPrefix) {
			continue
		}
		if info, e := os.Lstat(s.path(name)); e == nil && s.now().Sub(info.ModTime()) > TempAge {
			err = errors.Join(err, remove(s.path(name)))
		}
	}
	return err
}

// errTooLarge means that a file is larger than its named limit.
var errTooLarge = errors.New("larger than its limit")

// errNotAFile means that a name is a link, a directory or a device.
var errNotAFile = errors.New("not a regular file")

// readFile reads a regular file of at most limit bytes. Links are not followed.
func readFile(name string, limit int64) ([]byte, error) {
	f, size, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, fmt.Errorf("%q: %w, %d bytes", name, errTooLarge, limit)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// openFile opens a regular file.
func openFile(name string) (*os.File, int64, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%q: %w", name, errNotAFile)
	}
	f, err := os.Open(name)
	return f, info.Size(), err
}
