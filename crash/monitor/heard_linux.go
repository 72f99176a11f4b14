package monitor

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// heard is the file of the run directory that keeps what was read of a crash pipe, for the monitor that may have to go on. It is on
// a tmpfs as a rule. The kernel moves the bytes from the pipe into it, so that a monitor which is killed in between loses none.
type heard struct {
	file *os.File // nil = there is none, or it has no room: the pipe is read
	size int64    // of the file
}

// listenTo opens the file of a run directory, and returns what a monitor before has left there.
func listenTo(runDir string) (h *heard, before []byte) {
	path := filepath.Join(runDir, heardName)
	before, _ = os.ReadFile(path) // none as a rule
	h = &heard{size: int64(len(before))}
	h.file, _ = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // what cannot be kept is read all the same
	return h, before
}

// receive reads from the pipe, which does not block, as read(2) does.
func (h *heard) receive(pipe int, buf []byte) (n int, err error) {
	if h.file != nil && h.size >= MaxText {
		h.close()
	}
	if h.file == nil {
		return unix.Read(pipe, buf)
	}
	end := h.size
	moved, err := unix.Splice(pipe, nil, int(h.file.Fd()), &end, len(buf), unix.SPLICE_F_NONBLOCK)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return 0, err
	case err != nil:
		h.close()
		return unix.Read(pipe, buf)
	}
	n, err = h.file.ReadAt(buf[:moved], h.size)
	h.size += moved
	return n, err
}

func (h *heard) close() {
	if h.file != nil {
		_ = h.file.Close() // what was moved into it is there
		h.file = nil
	}
}
