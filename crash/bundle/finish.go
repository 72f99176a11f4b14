package bundle

import (
	"errors"
	"fmt"
	"io/fs"
)

// whyNoRoom is Core.Why of a core that had to go so that the rest could stay.
const whyNoRoom = "removed: the disk had no room for meta.json"

// Finish writes meta.json, makes everything durable and gives the bundle its final name, which it returns. It fills in
// Schema, ID and Files, adds to Problems what failed, and takes from the name what m does not say; the name follows
// Class and Fingerprint of m. What in m does not fit into meta.json is cut. On a full disk the core gives way.
//
// With an error and no name the bundle is as it was, and Finish may be called again. With both, it is finished and
// may not be durable.
func (w *Writer) Finish(m *Meta) (string, error) {
	if w.done {
		return "", ErrClosed
	}
	name, err := w.finish(m)
	if err != nil {
		err = fmt.Errorf("finish crash bundle %s: %w", w.label, err)
	}
	return name, err
}

func (w *Writer) finish(m *Meta) (string, error) {
	w.adjust(m)
	if err := w.free(); err != nil {
		return "", err
	}
	w.gather(m)
	if err := w.writeMeta(m); err != nil {
		return "", err
	}
	d := w.store.disk
	if err := errors.Join(w.removeMark(draftName), d.sync(w.name)); err != nil {
		return "", err
	}
	if err := d.rename(w.name, m.ID); err != nil {
		return "", err
	}
	w.name, w.done = m.ID, true
	return m.ID, errors.Join(d.sync("."), w.removeMark(writerName), w.unlock())
}

// removeMark removes a file of our own, which another process may have swept away.
func (w *Writer) removeMark(name string) error {
	err := w.store.disk.remove(w.name + "/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// adjust lets name and meta.json say the same.
func (w *Writer) adjust(m *Meta) {
	if !m.Class.Known() {
		m.Class = w.label.class
	}
	if m.Time.IsZero() {
		m.Time = w.label.at
	}
	if m.Process.PID == 0 {
		m.Process.PID = w.label.pid
	}
	fingerprint := m.Fingerprint
	if fingerprint == "" {
		fingerprint = w.label.fingerprint
	}
	if err := w.Rename(m.Class, fingerprint); err != nil {
		w.problem(err.Error())
	}
}

// free looks for another name when somebody has taken the final one.
func (w *Writer) free() error {
	if !exists(w.store.disk, w.label.String()) {
		return nil
	}
	return w.claim(w.label)
}

// gather gives all files their names, makes them durable and lists them. What fails is a problem and no end.
func (w *Writer) gather(m *Meta) {
	m.Schema, m.ID, m.Files = Schema, w.label.String(), []File{}
	for i := range w.files {
		p := &w.files[i]
		name := w.name + "/" + p.name
		var err error
		if p.open {
			err = w.settle(p)
		}
		if err == nil {
			err = w.store.disk.sync(name)
		}
		info, statErr := w.store.disk.lstat(name)
		if w.failed("finish", p.name, errors.Join(err, statErr)); statErr == nil {
			m.Files = append(m.Files, File{Name: p.name, Bytes: info.Size(), Cut: p.cut})
		}
	}
	m.Problems = append(m.Problems, w.problems...)
	w.problems = nil
}

// writeMeta writes meta.json; where there is no room for it, the core goes.
func (w *Writer) writeMeta(m *Meta) error {
	err := w.tryMeta(m)
	if !isFull(err) || w.find(coreName) == nil {
		return err
	}
	if err := w.store.disk.remove(w.name + "/" + coreName); err != nil {
		return err
	}
	m.dropCore(whyNoRoom)
	return w.tryMeta(m)
}

func (w *Writer) tryMeta(m *Meta) error {
	text, err := m.encode()
	if err != nil {
		return err
	}
	return replace(w.store.disk, w.name+"/"+metaName, text, true)
}
