package bundle

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Entry is a bundle in a store, as it was when it was listed.
type Entry struct {
	ID          string // the name of its directory
	Class       Class
	Time        time.Time // to the millisecond
	PID         int       // of the process that it is about
	Fingerprint string    // its first 8 digits, zeros = none
	Core        int64     // bytes of its core, 0 = it has none
	dir         string
	bytes       int64
}

// Path returns the directory of the bundle.
func (e Entry) Path() string { return e.dir }

// Size returns the bytes of its files, the core included.
func (e Entry) Size() int64 { return e.bytes }

// text is its size without the core.
func (e Entry) text() int64 { return e.bytes - e.Core }

// kind groups bundles as the limits do.
func (e Entry) kind() string {
	if e.Fingerprint == short("") {
		return string(e.Class)
	}
	return e.Fingerprint
}

// Meta reads meta.json. The error of one that does not hold is ErrCorrupt.
func (e Entry) Meta() (*Meta, error) { return ReadMeta(e.dir) }

// Read reads a file of the bundle, which is an error when it has more than max bytes.
func (e Entry) Read(name string, max int64) ([]byte, error) { return ReadFile(e.dir, name, max) }

// ReadMeta reads meta.json of the bundle in dir, which may lie outside any store. The error of one that does not hold is
// ErrCorrupt.
func ReadMeta(dir string) (*Meta, error) {
	text, err := ReadFile(dir, metaName, MaxMetaBytes)
	if err != nil {
		return nil, err
	}
	m, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("read crash bundle %q: %w", dir, err)
	}
	return m, nil
}

// ReadFile reads a file of the bundle in dir. It follows no link, waits for no pipe, and is ErrCorrupt when the file has
// more than max bytes.
func ReadFile(dir, name string, max int64) ([]byte, error) {
	b, err := readIn(dir, name, max)
	if err != nil {
		return nil, fmt.Errorf("read %.80q of crash bundle %q: %w", name, dir, err)
	}
	return b, nil
}

func readIn(dir, name string, max int64) ([]byte, error) {
	if name != metaName && !plainName(name) {
		return nil, errors.New("not a name for a file of a bundle")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := openRegular(root, name)
	if err != nil {
		return nil, err
	}
	return readAll(f, max)
}

// readMeta reads a meta.json by way of the disk of its store.
func readMeta(d disk, name string) (*Meta, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, err
	}
	text, err := readAll(f, MaxMetaBytes)
	if err != nil {
		return nil, err
	}
	return decode(text)
}

// List lists the bundles, newest first. Bundles that are being written, and whatever is not a bundle, are left out.
func (s *Store) List() ([]Entry, error) {
	entries, err := s.list()
	if err != nil {
		return nil, fmt.Errorf("list crash store %q: %w", s.dir, err)
	}
	return entries, nil
}

func (s *Store) list() ([]Entry, error) {
	names, err := s.disk.names(".")
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, name := range names {
		if l, ok := parseLabel(name); ok && isDir(s.disk, name) {
			entries = append(entries, s.entry(name, l))
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(b.ID, a.ID))
	})
	return entries, nil
}

// entry measures a bundle. One that is removed meanwhile has no bytes.
func (s *Store) entry(name string, l label) Entry {
	e := Entry{
		ID: name, Class: l.class, Time: l.at, PID: l.pid, Fingerprint: l.fingerprint, dir: filepath.Join(s.dir, name),
	}
	files, _ := s.disk.names(name)
	for _, file := range files {
		info, err := s.disk.lstat(name + "/" + file)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		e.bytes += info.Size()
		if file == coreName {
			e.Core = info.Size()
		}
	}
	return e
}

// Find finds a bundle by its id, by the beginning of its id when no other has it, or the newest as "last". The errors
// are ErrNotFound and ErrAmbiguous, which names some.
func (s *Store) Find(id string) (Entry, error) {
	entries, err := s.List()
	if err != nil {
		return Entry{}, err
	}
	var found []Entry
	for i, e := range entries {
		if e.ID == id || id == "last" && i == 0 {
			return e, nil
		}
		if id != "" && strings.HasPrefix(e.ID, id) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return Entry{}, fmt.Errorf("%w: %.80q in %q", ErrNotFound, id, s.dir)
	case 1:
		return found[0], nil
	}
	return Entry{}, fmt.Errorf("%w: %.80q is %s, %s and so on", ErrAmbiguous, id, found[0].ID, found[1].ID)
}

// update changes meta.json of a bundle in one step. ID and Schema stay as they are. The caller holds the lock.
func (s *Store) update(id string, change func(*Meta)) error {
	if _, ok := parseLabel(id); !ok || !isDir(s.disk, id) {
		return fmt.Errorf("%w: %w", ErrNotFound, fs.ErrNotExist)
	}
	m, err := readMeta(s.disk, id+"/"+metaName)
	if err != nil {
		return err
	}
	change(m)
	m.Schema, m.ID = Schema, id
	text, err := m.encode()
	if err != nil {
		return err
	}
	return replace(s.disk, id+"/"+metaName, text, true)
}
