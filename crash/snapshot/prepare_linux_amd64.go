package snapshot

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugeBytes is the size of a huge page.
const hugeBytes = 2 << 20

// madviseCollapse is MADV_COLLAPSE of linux/mman.h (Linux 6.1).
const madviseCollapse = 25

// Prepare has the kernel put the memory of a running process on pages of 2 MiB, so that the fork of a later Take copies one
// entry where it copied 512 and the stop is several times shorter. The process runs meanwhile; while the kernel moves one
// page, some 0.3 ms, its page faults wait. Only stretches that are in use as a whole are moved, so the process does not grow;
// what it writes while a snapshot lives comes apart again. To be called now and then, from any goroutine; it blocks for
// about the budget, some 1 ms per MiB that is to be moved. It needs CAP_SYS_NICE and Linux 6.7, and fails without with
// unix.EPERM or another error; Take works all the same.
func Prepare(pid int, budget time.Duration) (Prepared, error) {
	var done Prepared
	deadline := time.Now().Add(budget)
	p, err := openPages(pid)
	if err != nil {
		return done, fmt.Errorf("prepare: %w", err)
	}
	defer p.close()
	if !p.scan {
		return done, fmt.Errorf("prepare process %d: scan pages: %w", pid, errors.ErrUnsupported)
	}
	p.filter = smallPages
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return done, fmt.Errorf("prepare process %d: %w", pid, err)
	}
	defer unix.Close(process)
	mapErr := eachMapping(pid, "maps", func(m mapping) bool {
		if m.private() && m.writable() && !m.inode {
			done.Complete = p.each(m.start, m.end, deadline, func(start, end uint64) bool {
				err = done.collapse(process, start, end, deadline)
				return err == nil
			})
		}
		return err == nil && time.Now().Before(deadline)
	})
	done.Complete = done.Complete && err == nil && mapErr == nil && time.Now().Before(deadline)
	if err = errors.Join(err, mapErr); err != nil {
		return done, fmt.Errorf("prepare process %d: %w", pid, err)
	}
	return done, nil
}

// smallPages are pages in memory that the process alone has and that are not huge yet.
var smallPages = pageFilter{
	inverted: pageZero | pageHuge | pageFile | pageSwapped,
	all:      pageZero | pageHuge | pageFile | pageSwapped | pagePresent,
}

// collapse moves the huge pages that lie wholly between two addresses.
func (p *Prepared) collapse(process int, start, end uint64, deadline time.Time) error {
	for start = (start + hugeBytes - 1) &^ (hugeBytes - 1); start+hugeBytes <= end && time.Now().Before(deadline); start += hugeBytes {
		page := unix.RemoteIovec{Base: uintptr(start), Len: hugeBytes}
		_, _, errno := unix.Syscall6(unix.SYS_PROCESS_MADVISE, uintptr(process), uintptr(unsafe.Pointer(&page)), 1, madviseCollapse, 0, 0)
		switch errno {
		case 0:
			p.Moved++
		case unix.EPERM, unix.ENOSYS, unix.ESRCH, unix.ENOMEM:
			return errno
		default:
			p.Refused++ // pinned, or changed since it was looked up
		}
	}
	return nil
}
