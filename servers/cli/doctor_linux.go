package cli

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// permitTracing lets a child trace this process where Yama asks for it, as a server lets its monitors.
func permitTracing(child int) {
	_ = unix.Prctl(unix.PR_SET_PTRACER, uintptr(child), 0, 0, 0) // without Yama an error, and no matter
}

// diskSpace tells how many bytes of the disk of a directory are free for this user, and how many there are.
func diskSpace(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil
}

// runPlace tells where a server keeps its black box, and whether that is memory.
func runPlace(dir string) (where string, quick bool) {
	const shared = "/dev/shm"
	if unix.Access(shared, unix.W_OK|unix.X_OK) != nil {
		return filepath.Join(dir, "run") + ": " + shared + " cannot be written", false
	}
	var st unix.Statfs_t
	if unix.Statfs(shared, &st) != nil || int64(st.Type) != unix.TMPFS_MAGIC {
		return shared + ", which is no tmpfs", false
	}
	if free := int64(st.Bavail) * int64(st.Bsize); free < boxRoom {
		return shared + " with " + size(free) + " free", false
	}
	return shared, true
}

// boxRoom is what the black box and the records of a server with many workers take, and more.
const boxRoom = 16 << 20
