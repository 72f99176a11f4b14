package poller

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls here cannot block: the sockets are non-blocking. So they skip the
// scheduler (RawSyscall).

func (p *epoll) Accept(fd int) (int, netip.AddrPort, syscall.Errno) {
	p.length = unix.SizeofSockaddrAny
	s, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&p.peer)),
		uintptr(unsafe.Pointer(&p.length)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if errno != 0 {
		return -1, netip.AddrPort{}, errno
	}
	return int(s), addrPort(&p.peer), 0
}

func (p *epoll) Read(fd int, b []byte) (int, syscall.Errno) {
	if invariants && len(b) == 0 {
		panic("poller: Read into an empty buffer")
	}
	// recvfrom goes to the socket at once; read would go through the file first, about 2 % of a small message.
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func (p *epoll) Write(fd int, b []byte) (int, syscall.Errno) {
	if invariants && len(b) == 0 {
		panic("poller: Write of an empty buffer")
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func (p *epoll) Writev(fd int, bufs [][]byte) (int, syscall.Errno) {
	bufs = bufs[:min(len(bufs), MaxBuffers)]
	for i, b := range bufs {
		p.iovecs[i].Base = unsafe.SliceData(b)
		p.iovecs[i].SetLen(len(b))
	}
	p.header.SetIovlen(len(bufs))
	n, _, errno := syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&p.header)), unix.MSG_NOSIGNAL)
	runtime.KeepAlive(bufs)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func (p *epoll) Shutdown(fd int) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
	return errno
}

func (p *epoll) Close(fd int) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	if errno == unix.EINTR {
		return 0 // Linux has let go of the descriptor by then.
	}
	return errno
}

// Abort closes with a reset.
func (p *epoll) Abort(fd int) syscall.Errno {
	linger := unix.Linger{Onoff: 1}
	if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger); err != nil {
		p.Close(fd)
		return err.(syscall.Errno)
	}
	return p.Close(fd)
}

// addrPort decodes what the kernel filled in. IPv4 in IPv6 is unmapped. A
// link-local address keeps its zone as the interface's index.
func addrPort(sa *unix.RawSockaddrAny) netip.AddrPort {
	switch sa.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), hostOrder(&in.Port))
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
		addr := netip.AddrFrom16(in.Addr).Unmap()
		if in.Scope_id != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(in.Scope_id), 10))
		}
		return netip.AddrPortFrom(addr, hostOrder(&in.Port))
	}
	return netip.AddrPort{}
}

// hostOrder reads a port, which sockaddr keeps in network order.
func hostOrder(port *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(port))[:])
}
