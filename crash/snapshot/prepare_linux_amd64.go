package snapshot

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// hugeBytes is the size of a huge page.
const hugeBytes = 2 << 20

// madviseCollapse is MADV_COLLAPSE of linux/mman.h (Linux 6.1).
const madviseCollapse = 25

// Prepare has the kernel put the memory of this process on pages of 2 MiB, so that the fork of a later Take, by whomever, copies one
// entry where it copied 512 and the stop is several times shorter. The process runs meanwhile; while the kernel moves one page, some
// 0.3 ms, who touches it or has a page fault waits. Only stretches that are in use as a whole are moved, so the process does not
// grow; what it writes while a snapshot lives comes apart again. To be called now and then, from any goroutine; it blocks for about
// the budget, some 1 ms per MiB that is to be moved. It needs Linux 6.7 and memory to spare, and fails without with
// errors.ErrUnsupported or unix.ENOMEM; Take works all the same.
func Prepare(budget time.Duration) (Prepared, error) {
	var done Prepared
	deadline := time.Now().Add(budget)
	p, err := openPages(os.Getpid())
	if err != nil {
		return done, fmt.Errorf("prepare: %w", err)
	}
	defer p.close()
	if !p.scan {
		return done, fmt.Errorf("prepare: scan pages: %w", errors.ErrUnsupported)
	}
	p.filter = smallPages
	mapErr := eachMapping(os.Getpid(), "maps", func(m mapping) bool {
		if m.private() && m.writable() && !m.inode {
			done.Complete = p.each(m.start, m.end, deadline, func(start, end uint64) bool {
				err = done.collapse(start, end, deadline)
				return err == nil
			})
		}
		return err == nil && time.Now().Before(deadline)
	})
	done.Complete = done.Complete && err == nil && mapErr == nil && time.Now().Before(deadline)
	if err = errors.Join(err, mapErr); err != nil {
		return done, fmt.Errorf("prepare: %w", err)
	}
	return done, nil
}

// smallPages are pages in memory that the process alone has and that are not huge yet.
var smallPages = pageFilter{
	inverted: pageZero | pageHuge | pageFile | pageSwapped,
	all:      pageZero | pageHuge | pageFile | pageSwapped | pagePresent,
}

// collapse moves the huge pages that lie wholly between two addresses.
func (p *Prepared) collapse(start, end uint64, deadline time.Time) error {
	for start = (start + hugeBytes - 1) &^ (hugeBytes - 1); start+hugeBytes <= end && time.Now().Before(deadline); start += hugeBytes {
		switch _, _, errno := unix.Syscall(unix.SYS_MADVISE, uintptr(start), hugeBytes, madviseCollapse); errno {
		case 0:
			p.Moved++
		case unix.ENOMEM, unix.ENOSYS, unix.EPERM:
			return errno
		default:
			p.Refused++ // pinned, or changed since it was looked up, or the kernel does not know the advice
		}
	}
	return nil
}
