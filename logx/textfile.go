package logx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

const (
	textSuffix = ".txt"
	// tailBytes is how much of the last file is read to find its last line, which no record exceeds: quoting makes four
	// bytes of one at most.
	tailBytes = 4*record.MaxBytes + 4096
)

// textFiles is the output of Format Text: files of lines, each named by its first index.
type textFiles struct {
	fs      segment.FS
	dir     string
	types   *record.Types
	limits  segment.Config // sizes, ages and what is kept, with its defaults
	file    segment.File
	base    uint64
	size    int64
	begun   time.Time
	next    uint64
	written uint64
	buffer  []byte
	pending uint64 // last index in buffer
	torn    int64  // bytes of a torn line that resume has cut
	partial bool   // the last write was cut short: the file has the front of what was buffered, to the middle of a line perhaps
	record  record.Record
	renamed bool // names in dir came or went since it was synced
}

// openText finds the last file, cuts a torn last line, and returns the index that follows.
func openText(c *Config, types *record.Types) (*textFiles, segment.Recovery, error) {
	limits := c.segments(types, nil)
	if err := limits.SetDefaults(); err != nil {
		return nil, segment.Recovery{}, err
	}
	t := &textFiles{fs: c.FS, dir: c.Dir, types: types, limits: limits, next: 1}
	bases, err := t.bases()
	if err != nil {
		return nil, segment.Recovery{}, err
	}
	if len(bases) > 0 {
		if err = t.resume(bases[len(bases)-1]); err != nil {
			return nil, segment.Recovery{}, err
		}
	}
	t.written = t.next - 1
	return t, segment.Recovery{Next: t.next, CutBytes: t.torn}, nil
}

func (t *textFiles) path(base uint64) string {
	return filepath.Join(t.dir, fmt.Sprintf("%020d%s", base, textSuffix))
}

// bases lists the files by their first index.
func (t *textFiles) bases() ([]uint64, error) {
	entries, err := t.fs.ReadDir(t.dir)
	if err != nil {
		return nil, err
	}
	var bases []uint64
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), textSuffix)
		if base, err := strconv.ParseUint(name, 10, 64); ok && err == nil {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases, nil
}

// resume goes on in a file that is there. Whoever made it may have died before its name was durable.
func (t *textFiles) resume(base uint64) error {
	path := t.path(base)
	file, err := t.fs.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	t.file, t.base, t.next, t.begun, t.renamed = file, base, base, time.Now(), true
	if err = t.cutTorn(); err != nil {
		return errors.Join(fmt.Errorf("resume %q: %w", path, err), file.Close())
	}
	return nil
}

// cutTorn removes what follows the last line break and reads the index of the last line.
func (t *textFiles) cutTorn() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	from := max(0, size-tailBytes)
	tail := make([]byte, size-from)
	if _, err = t.file.ReadAt(tail, from); err != nil && err != io.EOF {
		return err
	}
	whole := bytes.LastIndexByte(tail, '\n') + 1
	if whole == 0 && from > 0 {
		return fmt.Errorf("no line in the last %d bytes", tailBytes)
	}
	t.size = from + int64(whole)
	if whole > 0 {
		line := tail[bytes.LastIndexByte(tail[:whole-1], '\n')+1 : whole]
		if t.next, err = indexOf(line); err != nil {
			return err
		}
		t.next++
	}
	if t.size == size {
		return nil
	}
	t.torn = size - t.size
	return t.file.Truncate(t.size)
}

// indexOf reads the index of a line: [type] [time / LEVEL / index] ...
func indexOf(line []byte) (uint64, error) {
	_, rest, _ := bytes.Cut(line, []byte("] ["))
	head, _, ok := bytes.Cut(rest, []byte("]")) // the line ends here when there is neither message nor field
	if at := bytes.LastIndexByte(head, ' '); ok && at >= 0 {
		if index, err := strconv.ParseUint(string(head[at+1:]), 10, 64); err == nil {
			return index, nil
		}
	}
	return 0, fmt.Errorf("no index in the line %.80q", line)
}

func (t *textFiles) Add(h *record.Head, payload []byte) {
	view := record.View{Head: *h, Payload: payload}
	if err := view.Decode(&t.record); err != nil { // not what Write makes
		t.record = record.Record{Head: *h, Message: "record cannot be read: " + err.Error()}
	}
	t.buffer = record.AppendText(t.buffer, &t.record, t.types)
	t.pending, t.next = h.Index, h.Index+1
}

func (t *textFiles) Skip(index uint64) error { t.next = index; return nil }

func (t *textFiles) Buffered() int { return len(t.buffer) }

func (t *textFiles) Written() uint64 { return t.written }

// Flush writes what is buffered, into a new file when the last one is full or old.
func (t *textFiles) Flush() error {
	if len(t.buffer) == 0 {
		return nil
	}
	if t.file == nil || t.due() {
		if err := t.rotate(); err != nil {
			return err
		}
	}
	n, err := t.file.WriteAt(t.buffer, t.size)
	t.size += int64(n)
	t.buffer = t.buffer[:copy(t.buffer, t.buffer[n:])]
	t.partial = err != nil && (t.partial || n > 0)
	if err != nil {
		return err
	}
	t.written = t.pending
	return nil
}

// due tells whether what is buffered begins a new file. It never does behind a write that was cut short: the buffer then
// begins inside a line, or with another record than the one the new file would be named by.
func (t *textFiles) due() bool {
	return !t.partial && t.size > 0 &&
		(t.size >= t.limits.SegmentBytes || time.Since(t.begun) >= t.limits.SegmentAge)
}

func (t *textFiles) rotate() error {
	base := t.written + 1
	file, err := t.fs.OpenFile(t.path(base), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	if t.file != nil {
		err = errors.Join(t.file.Sync(), t.file.Close())
	}
	t.file, t.base, t.size, t.begun, t.renamed = file, base, 0, time.Now(), true
	return errors.Join(err, t.retain())
}

// retain removes the oldest files beyond the limits, never the one that is written.
func (t *textFiles) retain() error {
	bases, err := t.bases()
	if err != nil {
		return err
	}
	var bytes int64
	for kept, i := 0, len(bases)-1; i >= 0; i-- {
		path := t.path(bases[i])
		info, err := t.fs.Stat(path)
		if err != nil {
			return err
		}
		kept++
		bytes += info.Size()
		if bases[i] == t.base || !t.beyond(kept, bytes, info) {
			continue
		}
		if err = t.fs.Remove(path); err != nil {
			return err
		}
		t.renamed = true
	}
	return nil
}

func (t *textFiles) beyond(kept int, bytes int64, info fs.FileInfo) bool {
	return t.limits.KeepSegments > 0 && kept > t.limits.KeepSegments ||
		t.limits.KeepBytes > 0 && bytes > t.limits.KeepBytes ||
		t.limits.KeepAge > 0 && time.Since(info.ModTime()) > t.limits.KeepAge
}

// Sync makes what is written durable, and the names of the files.
func (t *textFiles) Sync() error {
	if t.file == nil {
		return nil
	}
	if err := t.file.Sync(); err != nil || !t.renamed {
		return err
	}
	if err := t.fs.SyncDir(t.dir); err != nil {
		return err
	}
	t.renamed = false
	return nil
}

func (t *textFiles) Close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
