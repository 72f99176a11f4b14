package segment

import (
	"errors"
	"fmt"
	"io/fs"
)

// sealing is a segment whose records are all written and whose footer is not.
type sealing struct {
	live   *live
	footer []byte // what the file has not taken of it
}

// Rotate flushes, seals the segment and begins the next, whose files the next Flush makes. A segment without records
// stays as it is. On an error records can be added all the same: they go into the next segment, once a later Flush or
// Rotate has sealed this one.
func (w *Writer) Rotate() error {
	if err := w.rotate(); err != nil {
		w.counters.errors.Add(1)
		return fmt.Errorf("rotate log segment %d: %w", w.live.header.base, err)
	}
	return nil
}

func (w *Writer) rotate() error {
	if err := w.finishSeal(); err != nil {
		return err
	}
	if w.closed {
		return fs.ErrClosed
	}
	if w.live.records == 0 {
		return nil
	}
	if err := w.flush(); err != nil && w.live.waiting() > 0 {
		return err
	}
	done := w.live
	if err := w.begin(w.next); err != nil {
		return err
	}
	done.index.seal()
	f := done.footer()
	if err := done.writeIndex(); err != nil {
		w.config.Notify(fmt.Errorf("seal log segment %d: %w", done.header.base, errors.Join(err, done.abandon())))
	}
	w.sealing = &sealing{live: done, footer: appendFooter(nil, &f)}
	return w.finishSeal()
}

// letGo syncs and closes the oldest sealed segment. A device that does not sync does not hold up the log: the next Sync
// tells of the first.
func (w *Writer) letGo() {
	s := w.unsynced[0]
	err := w.syncOldest()
	if len(w.unsynced) == maxUnsynced {
		w.unsynced = append(w.unsynced[:0], w.unsynced[1:]...)
		err = errors.Join(err, s.close())
	}
	if w.lost == nil {
		w.lost = err
	}
}

// abandon removes index and postings that could not be written in full: the data count. The footer says what should have
// been in them, and the background makes them again from the data.
func (s *live) abandon() error {
	var errs []error
	for _, g := range []*growing{&s.idx, &s.warn} {
		errs = append(errs, g.close(), remove(g.fs, g.path))
		g.dirty = false
	}
	return errors.Join(errs...)
}

// finishSeal writes what is left of a footer.
func (w *Writer) finishSeal() error {
	if w.sealing == nil {
		return nil
	}
	if len(w.unsynced) == maxUnsynced {
		w.letGo()
	}
	done := w.sealing.live
	if err := done.log.take(&w.sealing.footer); err != nil {
		return fmt.Errorf("write footer: %w", err)
	}
	w.sealing = nil
	w.unsynced = append(w.unsynced, done)
	done.index, done.buf = nil, nil
	w.counters.sealed.Add(1)
	w.back.sealed(w.live.header.base)
	return nil
}
