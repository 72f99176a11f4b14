package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pages tells which pages of a process have content. It holds /proc/PID/pagemap open until close.
type pages struct {
	file   *os.File
	filter pageFilter
	scan   bool // the kernel has PAGEMAP_SCAN (Linux 6.7), which jumps over what no page table covers
}

// pageFilter says which pages are meant, in categories: after those of inverted were turned about, a page must have all of
// all, and one of any, if there are any.
type pageFilter struct{ inverted, all, any uint64 }

// contentPages are pages that hold something.
var contentPages = pageFilter{inverted: pageZero, all: pageZero, any: pagePresent | pageSwapped}

// pageScan is struct pm_scan_arg of linux/fs.h, 96 bytes.
type pageScan struct {
	size, flags         uint64
	start, end, walkEnd uint64 // walkEnd is set by the kernel: how far it came
	vector              unsafe.Pointer
	vectorLen           uint64
	maxPages            uint64
	inverted            uint64 // categories that must not be there
	all, any            uint64 // categories that must, and of which one must
	result              uint64 // categories that it tells of
}

// pageRegion is struct page_region of linux/fs.h, 24 bytes.
type pageRegion struct{ start, end, categories uint64 }

// The numbers of linux/fs.h: _IOWR('f', 16, 96 bytes), and the categories.
const (
	pagemapScan = 3<<30 | 96<<16 | 'f'<<8 | 16
	pageFile    = 1 << 2
	pagePresent = 1 << 3
	pageSwapped = 1 << 4
	pageZero    = 1 << 5 // the shared page of zeros
	pageHuge    = 1 << 6
)

// scanRegions is how many runs of pages one call gives, and entryPages how many pages one read of the older interface.
const (
	scanRegions = 512
	entryPages  = 8192
)

func openPages(pid int) (pages, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		return pages{}, fmt.Errorf("read pages of process %d: %w", pid, err)
	}
	p := pages{file: f, filter: contentPages}
	_, err = p.regions(0, 0, make([]pageRegion, 1))
	p.scan = err == nil
	return p, nil
}

func (p pages) close() { _ = p.file.Close() } // it was only read

// each hands out the runs of pages with content between two addresses until yield says no; false: the deadline passed or
// the kernel failed. Runs that touch may come apart.
func (p pages) each(start, end uint64, deadline time.Time, yield func(start, end uint64) bool) bool {
	if p.scan {
		return p.eachRegion(start, end, deadline, yield)
	}
	return p.eachEntry(start, end, deadline, yield)
}

func (p pages) eachRegion(start, end uint64, deadline time.Time, yield func(start, end uint64) bool) bool {
	found := make([]pageRegion, scanRegions)
	for start < end && !time.Now().After(deadline) {
		scan, err := p.regions(start, end, found)
		if err != nil || scan.walkEnd <= start {
			return false
		}
		for _, r := range found[:scan.result] {
			if !yield(r.start, r.end) {
				return true
			}
		}
		start = scan.walkEnd
	}
	return start >= end
}

// regions asks once. The number of regions comes back in result.
func (p pages) regions(start, end uint64, found []pageRegion) (pageScan, error) {
	arg := pageScan{
		start: start, end: end,
		vector: unsafe.Pointer(&found[0]), vectorLen: uint64(len(found)),
		inverted: p.filter.inverted, all: p.filter.all, any: p.filter.any, result: pagePresent,
	}
	arg.size = uint64(unsafe.Sizeof(arg))
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, p.file.Fd(), pagemapScan, uintptr(unsafe.Pointer(&arg)))
	if errno != 0 {
		return arg, errno
	}
	arg.result = uint64(n)
	return arg, nil
}

// eachEntry reads a word for every page: bit 63 tells that it is present, bit 62 that it is swapped out.
func (p pages) eachEntry(start, end uint64, deadline time.Time, yield func(start, end uint64) bool) bool {
	words := make([]byte, 8*entryPages)
	for start < end && !time.Now().After(deadline) {
		n := min((end-start)/pageBytes, entryPages)
		b := words[:8*n]
		if m, err := p.file.ReadAt(b, int64(start/pageBytes*8)); m < len(b) {
			return errors.Is(err, nil)
		}
		for i := uint64(0); i < n; {
			j := i
			for has := hasPage(b, i); j < n && hasPage(b, j) == has; {
				j++
			}
			if hasPage(b, i) && !yield(start+i*pageBytes, start+j*pageBytes) {
				return true
			}
			i = j
		}
		start += n * pageBytes
	}
	return start >= end
}

func hasPage(words []byte, i uint64) bool { return binary.LittleEndian.Uint64(words[8*i:])>>62 != 0 }
