//go:build linux

package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// teller writes a story down, in segments and, where that is wanted, as text:
//
//	story --record--> segment.Writer ----> DIR/*.log
//	            \---> record.AppendText -> text
//
// One goroutine owns it.
type teller struct {
	story    *story
	bytes    int64 // of records: where the story ends
	compress bool
}

// Limits of writing.
const (
	tellBytes     = 1 << 20 // gathered for one write
	compressLimit = 10 * time.Minute
	compressPoll  = 20 * time.Millisecond
)

// write makes the directory and the text; a text of "" is none.
func (t *teller) write(ctx context.Context, dir, text string) error {
	if text == "" {
		return t.segments(ctx, dir, nil)
	}
	f, err := os.Create(text)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, tellBytes)
	return errors.Join(t.segments(ctx, dir, out), out.Flush(), f.Close())
}

func (t *teller) segments(ctx context.Context, dir string, text io.Writer) error {
	lock, err := segment.Lock(segment.OS(), dir)
	if err != nil {
		return err
	}
	w, _, err := segment.OpenWriter(segment.Config{Dir: dir, Compress: t.compress}, lock)
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	err = t.tell(ctx, w, text)
	if err == nil && t.compress {
		err = t.seal(ctx, w, dir)
	}
	return errors.Join(err, w.Close(), lock.Close())
}

// tell writes record by record until the story is long enough.
func (t *teller) tell(ctx context.Context, w *segment.Writer, text io.Writer) error {
	var payload, line []byte
	for told := int64(0); told < t.bytes; {
		r := t.story.next(float64(told) / float64(t.bytes))
		payload = record.AppendPayload(payload[:0], nil, nil, r.Message, r.Fields)
		told += int64(record.HeadBytes + len(payload))
		w.Add(&r.Head, payload)
		if text != nil {
			line = record.AppendText(line[:0], r, nil)
			if _, err := text.Write(line); err != nil {
				return err
			}
		}
		if w.Buffered() < tellBytes && told < t.bytes {
			continue
		}
		if err := errors.Join(w.Flush(), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// seal ends the last segment and waits until all that hold records are
// compressed.
func (t *teller) seal(ctx context.Context, w *segment.Writer, dir string) error {
	if err := w.Rotate(); err != nil {
		return err
	}
	poll, limit := time.NewTicker(compressPoll), time.NewTimer(compressLimit)
	defer poll.Stop()
	defer limit.Stop()
	for {
		left, err := plainSegments(dir)
		if err != nil || left == 0 { // The segment that Rotate began has no file yet.
			return err
		}
		select {
		case <-poll.C:
		case <-limit.C:
			return fmt.Errorf("%d segments are not compressed after %v", left, compressLimit)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// plainSegments counts the segments that are not compressed.
func plainSegments(dir string) (int, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	return len(names), err
}
