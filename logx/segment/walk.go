package segment

import (
	"errors"
	"fmt"
	"io"

	"vitrine/logx/record"
)

// walker reads the records of a segment in order and checks each: its checksum, and that its index is the next one.
// It belongs to one goroutine.
//
//	segment  | header | record .. record | record .. record | footer |
//	                  ^ offset, next, number: what the next step reads
type walker struct {
	data   data
	number int    // of the next run: a block, when the data are framed
	offset int64  // of the next record, in the uncompressed .log
	next   uint64 // its index
	sealed bool   // the walk has come to the footer
	footer footer
}

// step reads as many bytes as buf takes, or a block, and gives the records that are whole to fn; the bytes are valid
// during the call. It returns io.EOF at the footer and at the end of an unsealed segment, where half a record may
// stand, and ErrCorrupt at bytes that are no record, or another than the next.
func (w *walker) step(buf []byte, fn func(h *record.Head, raw []byte)) error {
	b, err := w.data.run(w.number, w.offset, buf)
	if err != nil {
		return err
	}
	used, err := w.records(b, fn)
	w.offset += int64(used)
	w.number++
	switch {
	case errors.Is(err, record.ErrShort) && w.data.framed():
		return fmt.Errorf("%w: block %d ends within a record", ErrCorrupt, w.number-1)
	case errors.Is(err, record.ErrShort) && used == 0:
		return io.EOF
	case errors.Is(err, record.ErrShort):
		return nil
	case errors.Is(err, record.ErrCorrupt):
		return fmt.Errorf("%w: no record at byte %d, where record %d is due", ErrCorrupt, w.offset, w.next)
	}
	return err
}

// records gives the whole records at the front of b to fn and counts their bytes.
func (w *walker) records(b []byte, fn func(h *record.Head, raw []byte)) (used int, err error) {
	for used < len(b) {
		rest := b[used:]
		if len(rest) >= 4 && order.Uint32(rest) == 0 {
			return used, w.end(rest, w.offset+int64(used))
		}
		v, err := record.Parse(rest)
		if err != nil {
			return used, err
		}
		if v.Index != w.next {
			return used, fmt.Errorf("%w: record %d at byte %d, where record %d is due", ErrCorrupt, v.Index, w.offset+int64(used), w.next)
		}
		if w.offset+int64(used+v.Size()) > MaxSegmentBytes {
			return used, fmt.Errorf("%w: more bytes than a segment has", ErrCorrupt)
		}
		fn(&v.Head, rest[:v.Size()])
		used += v.Size()
		w.next++
	}
	return used, nil
}

// end reads what begins with a length of 0.
func (w *walker) end(b []byte, offset int64) error {
	if len(b) < FooterBytes {
		return record.ErrShort
	}
	f, ok := parseFooter(b, offset)
	if !ok {
		return record.ErrCorrupt
	}
	w.footer, w.sealed = f, true
	return io.EOF
}

// all walks to the end. The error wraps ErrCorrupt, or is that of reading.
func (w *walker) all(fn func(h *record.Head, raw []byte)) error {
	buf := make([]byte, MaxBlockBytes)
	for {
		err := w.step(buf, fn)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
