package flight

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// File is what a flight file held when OpenFile read it. It is a copy: nothing
// in it changes or needs closing.
type File struct {
	Name    string    // Config.Name of the recorder that wrote it
	Worker  uint16    // its worker
	Group   int       // its packets per clock read
	Boot    uint64    // boot id of its process
	PID     int       // id of its process
	Zero    time.Time // wall time of stamp 0
	Closed  bool      // its recorder was closed; false after a kill
	Changed bool      // it was being written while OpenFile read it

	Packets   []Record // oldest first; those in flight have FlagOpen or Group 0
	Lifecycle []Record // oldest first
	Torn      int      // slots left out: half written, or not what a recorder writes
}

// Wall returns the wall time of one of the file's stamps.
func (f *File) Wall(stamp int64) time.Time { return f.Zero.Add(time.Duration(stamp)) }

// OpenFile reads a flight file, of a dead process as a rule. It trusts nothing
// in it: the error is one of ErrBadMagic, ErrBadVersion, ErrBadHeader,
// ErrBadSize or the system's, wrapped with the path; at most twice the file's
// size and never above 32 MiB is allocated.
//
// Of a file that is being written it returns the final records only, oldest 64
// left out, and sets Changed.
func OpenFile(path string) (*File, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("open flight file %q: %w", path, err)
	}
	return f, nil
}

func openFile(path string) (*File, error) {
	// A pipe or a device would block or never end.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrBadMagic
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	return read(f, info.Size())
}

// read reads a flight file of size bytes. It checks the header first, so that
// the size is one a recorder gives a file before memory is spent on it.
func read(r io.ReaderAt, size int64) (*File, error) {
	header, err := readN(r, min(size, headerSize))
	if err != nil {
		return nil, err
	}
	if err := checkHeader(header, size); err != nil {
		return nil, err
	}
	data, err := readN(r, size)
	if err != nil {
		return nil, err
	}
	// The file may have been changed since its header was checked.
	if err := checkHeader(data, size); err != nil {
		return nil, err
	}
	again, err := readN(r, size)
	if err != nil {
		return nil, err
	}
	return parse(data, again), nil
}

// readN reads the first n bytes. A file that has become shorter is one of the
// wrong size.
func readN(r io.ReaderAt, n int64) ([]byte, error) {
	b := make([]byte, n)
	_, err := r.ReadAt(b, 0)
	if err == io.EOF {
		return nil, ErrBadSize
	}
	return b, err
}

// parse reads the records out of data, whose header has been checked. again is
// the file a moment later: when they are equal nobody writes, and every slot
// that is consistent in itself counts. Otherwise only what was final before the
// first copy and not overwritten after it.
func parse(data, again []byte) *File {
	f := &File{
		Name:    string(data[offName : offName+int(order.Uint16(data[offNameLen:]))]),
		Worker:  order.Uint16(data[offWorker:]),
		Group:   int(order.Uint16(data[offGroup:])),
		Boot:    order.Uint64(data[offBoot:]),
		PID:     int(order.Uint32(data[offPID:])),
		Zero:    time.Unix(0, int64(order.Uint64(data[offZero:]))),
		Closed:  order.Uint32(data[offClosed:]) == 1,
		Changed: !bytes.Equal(data, again),
	}
	split := headerSize + recordSize*int(order.Uint32(data[offLifecycle:]))
	life := window{
		slots:     data[headerSize:split],
		first:     lifeBit | 1,
		reserved:  order.Uint64(again[offLifeCursors:]),
		published: order.Uint64(data[offLifeCursors+8:]),
	}
	packets := window{
		slots:     data[split:],
		first:     1,
		reserved:  order.Uint64(again[offPacketCursors:]),
		published: order.Uint64(data[offPacketCursors+8:]),
	}
	f.Lifecycle = life.records(f.Changed, &f.Torn)
	f.Packets = packets.records(f.Changed, &f.Torn)
	return f
}

// window is one ring of a file and which of its numbers to believe.
type window struct {
	slots     []byte
	first     uint64
	reserved  uint64
	published uint64
}

// records returns the consistent records, oldest first, and counts in torn the
// slots that hold something else.
func (w *window) records(changed bool, torn *int) []Record {
	n := uint64(len(w.slots) / recordSize)
	out := make([]Record, 0, n)
	for i := range n {
		var s slot
		for j := range s {
			s[j] = order.Uint64(w.slots[i*recordSize+uint64(j)*8:])
		}
		if s == (slot{}) {
			continue // never used
		}
		seq := s[wSeq]
		rec, ok := s.load(seq)
		switch {
		case !ok || seq%n != i || !w.plausible(seq, n):
			*torn++
		case changed && !w.settled(seq, n):
		default:
			out = append(out, rec)
		}
	}
	slices.SortFunc(out, func(a, b Record) int { return cmp.Compare(a.Seq, b.Seq) })
	return out
}

// plausible reports whether a ring with this reserved can hold record seq: the
// oldest it can hold is N and the step behind reserved.
func (w *window) plausible(seq, n uint64) bool {
	return seq >= w.first && seq < w.reserved && w.reserved-seq <= n+maxStep
}

// settled reports whether record seq was final before the copy and could not be
// overwritten during it.
func (w *window) settled(seq, n uint64) bool {
	return seq < w.published && w.reserved-seq <= n
}
