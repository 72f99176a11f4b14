package segment

import (
	"fmt"
	"slices"
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
	done.index.finish()
	f := done.footer()
	if err := done.writeIndex(); err != nil {
		// The data count. The footer says what should be in the files, and the background makes them again.
		w.config.Notify(fmt.Errorf("seal log segment %d: %w", done.header.base, err))
	}
	w.sealing = &sealing{live: done, footer: appendFooter(nil, &f)}
	return w.finishSeal()
}

// finishSeal writes what is left of a footer.
func (w *Writer) finishSeal() error {
	if w.sealing == nil {
		return nil
	}
	if len(w.unsynced) == maxUnsynced {
		if err := w.syncOldest(); err != nil {
			return err
		}
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

// sameNames tells whether a segment has the names of types that the configuration asks for.
func sameNames(have, want []string) bool { return slices.Equal(have, want) }
