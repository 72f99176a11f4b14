package probe

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// thisKernel asks the kernel this process runs on.
type thisKernel struct{}

func (thisKernel) release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func (thisKernel) coreLimit() (soft, hard uint64, ok bool) {
	var l unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_CORE, &l)
	return l.Cur, l.Max, err == nil
}

func (thisKernel) dumpable() (yes, ok bool) {
	n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	return n == 1, err == nil
}

func (thisKernel) pidfdInfo() (ok bool, supported uint64) {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return false, 0
	}
	defer unix.Close(fd)
	info := unix.PidfdInfo{Mask: infoSupported}
	if unix.IoctlPidfdInfo(fd, &info) != nil {
		return false, 0
	}
	if info.Mask&infoSupported == 0 {
		return true, 0
	}
	return true, info.Supported_mask
}

// infoSupported is PIDFD_INFO_SUPPORTED_MASK.
const infoSupported = 1 << 5

// scanArg is struct pm_scan_arg of linux/fs.h: 96 bytes.
type scanArg struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages  uint64
	categoryInverted, category, categoryAnyof, returnedFlags uint64
}

// pagemapScanCall is PAGEMAP_SCAN, _IOWR('f', 16, struct pm_scan_arg).
const pagemapScanCall = 0xc0606610

// pagemapScan scans an empty range of this process.
func (thisKernel) pagemapScan() bool {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return false
	}
	defer f.Close()
	arg := scanArg{size: uint64(unsafe.Sizeof(scanArg{}))}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), pagemapScanCall, uintptr(unsafe.Pointer(&arg)))
	return errno == 0
}
