package bundle

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxProblems is how many failures of its files a bundle tells of.
const maxProblems = 32

// Writer fills one bundle. It belongs to one goroutine, and ends with Finish or Discard; when its process dies before,
// Recover finishes it. A file that fails does not end the bundle: the failure is told in Meta.Problems.
type Writer struct {
	store    *Store
	label    label
	name     string   // of the directory, in the store
	lock     *os.File // nil where there are no locks
	files    []part
	problems []string
	done     bool
}

// part is one file of a bundle being written.
type part struct {
	name string
	cut  bool
	open bool // still called NAME.part: the caller writes it
}

// Dir returns the directory as it is named now. Rename and Finish change it.
func (w *Writer) Dir() string { return filepath.Join(w.store.dir, w.name) }

// Write makes a file of data, of which it takes the first Limits.FileBytes. With an error, what was taken stays, and
// the file counts as cut.
func (w *Writer) Write(name string, data []byte) error {
	whole := len(data)
	data = data[:min(int64(whole), w.store.limits.FileBytes)]
	return w.fill("write", name, len(data) < whole, func(f *os.File) (int64, error) {
		n, err := w.store.disk.write(f, data)
		return int64(n), err
	})
}

// Copy copies the last max bytes of the file at path, at most Limits.FileBytes, which is also what max 0 means. The file
// may grow meanwhile; it must be a regular one, so that nothing waits for who writes to it.
func (w *Writer) Copy(name, path string, max int64) error {
	from, size, err := openSource(path)
	if err != nil {
		return w.failed("copy", name, err)
	}
	defer from.Close()
	if max <= 0 || max > w.store.limits.FileBytes {
		max = w.store.limits.FileBytes
	}
	return w.fill("copy", name, size > max, func(f *os.File) (int64, error) {
		tail := io.NewSectionReader(from, size-min(size, max), min(size, max))
		return io.Copy(through{w.store.disk, f}, tail)
	})
}

// openSource opens a regular file and tells its size.
func openSource(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}

// through writes a file by way of its disk.
type through struct {
	disk disk
	file *os.File
}

func (t through) Write(b []byte) (int, error) { return t.disk.write(t.file, b) }

// fill makes one file. Until it has all its bytes it is called NAME.part.
func (w *Writer) fill(op, name string, cut bool, do func(*os.File) (int64, error)) error {
	f, err := w.create(name)
	if err != nil {
		return w.failed(op, name, err)
	}
	n, err := do(f)
	err = errors.Join(err, f.Close())
	part := &w.files[len(w.files)-1]
	part.cut = cut || err != nil
	if err != nil && n == 0 {
		w.files = w.files[:len(w.files)-1]
		return w.failed(op, name, errors.Join(err, w.store.disk.remove(w.name+"/"+name+suffixPart)))
	}
	return w.failed(op, name, errors.Join(err, w.settle(part)))
}

// Create makes a file for the caller to write and to close before Finish; no limit holds for it. It is called NAME.part
// until Finish.
func (w *Writer) Create(name string) (*os.File, error) {
	f, err := w.create(name)
	return f, w.failed("create", name, err)
}

func (w *Writer) create(name string) (*os.File, error) {
	switch {
	case w.done:
		return nil, ErrClosed
	case !plainName(name):
		return nil, errors.New("not a name for a file of a bundle")
	case len(w.files) >= MaxFiles:
		return nil, fmt.Errorf("the bundle has %d files already", MaxFiles)
	case w.find(name) != nil:
		return nil, os.ErrExist
	}
	f, err := w.store.disk.create(w.name + "/" + name + suffixPart)
	if err == nil {
		w.files = append(w.files, part{name: name, open: true})
	}
	return f, err
}

func (w *Writer) find(name string) *part {
	for i := range w.files {
		if w.files[i].name == name {
			return &w.files[i]
		}
	}
	return nil
}

// settle gives a file its name.
func (w *Writer) settle(p *part) error {
	err := w.store.disk.rename(w.name+"/"+p.name+suffixPart, w.name+"/"+p.name)
	if err == nil {
		p.open = false
	}
	return err
}

// failed wraps an error and remembers it for Meta.Problems.
func (w *Writer) failed(op, name string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s %.80q of crash bundle %s: %w", op, name, w.label, err)
	w.problem(err.Error())
	return err
}

func (w *Writer) problem(text string) {
	if len(w.problems) < maxProblems {
		w.problems = append(w.problems, text)
	}
}

// Rename changes what the name of the bundle says, when it is known only later.
func (w *Writer) Rename(class Class, fingerprint string) error {
	l := w.label
	l.class, l.fingerprint = class, short(fingerprint)
	switch {
	case w.done:
		return ErrClosed
	case !class.Known():
		return fmt.Errorf("rename crash bundle %s to class %q: not one of the list", w.label, class)
	case l == w.label:
		return nil
	}
	if err := w.claim(l); err != nil {
		return fmt.Errorf("rename crash bundle %s: %w", w.label, err)
	}
	return nil
}

// Draft keeps what is known so far, for the meta.json that Recover writes when this process dies before Finish. It fills
// in and cuts m as Finish does, and leaves the name as it is.
func (w *Writer) Draft(m *Meta) error {
	if w.done {
		return ErrClosed
	}
	if !m.Class.Known() {
		m.Class = w.label.class
	}
	m.Schema, m.ID = Schema, w.label.String()
	text, err := m.encode()
	if err == nil {
		err = replace(w.store.disk, w.name+"/"+draftName, text, false)
	}
	return w.failed("draft", metaName, err)
}

// Discard removes the bundle. After Finish it does nothing.
func (w *Writer) Discard() error {
	if w.done {
		return nil
	}
	w.done = true
	err := w.store.discard(w.name)
	return errors.Join(err, w.unlock())
}
