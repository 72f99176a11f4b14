package ringbuf

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mirrored is the alternative that this package is measured against: a ring
// whose storage is mapped twice in a row, so that nothing wraps.
type mirrored struct {
	b       []byte // the two mappings
	read, n int
}

func newMirrored(t testing.TB) decoder {
	t.Helper()
	b, err := mapTwice(benchStorage)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.MunmapPtr(unsafe.Pointer(&b[0]), uintptr(len(b))) })
	return &mirrored{b: b}
}

func mapTwice(size uintptr) ([]byte, error) {
	fd, err := unix.MemfdCreate("ring", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return nil, err
	}
	base, err := unix.MmapPtr(-1, 0, nil, 2*size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	for _, at := range []uintptr{0, size} {
		_, err := unix.MmapPtr(fd, 0, unsafe.Add(base, at), size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED)
		if err != nil {
			return nil, err
		}
	}
	return unsafe.Slice((*byte)(base), 2*size), nil
}

func (m *mirrored) receive(piece []byte, h *handled) {
	m.n += copy(m.b[m.read+m.n:][:benchStorage-m.n], piece)
	for {
		b := m.b[m.read : m.read+m.n]
		size := frameSize(b)
		if size == 0 || size > len(b) {
			return
		}
		h.frame(b[:size])
		m.n -= size
		if m.read += size; m.read >= benchStorage {
			m.read -= benchStorage
		}
	}
}
