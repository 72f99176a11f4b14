package poller

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// System returns the kernel's network. The clock of its pollers begins here.
func System() Network { return system{zero: time.Now()} }

type system struct {
	zero time.Time // fixed
}

func (s system) NewPoller() (Poller, error) {
	p, err := newEpoll(s.zero)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (s system) Listen(c ListenConfig) (int, netip.AddrPort, error) {
	fd, addr, err := listen(c)
	if err != nil {
		return -1, netip.AddrPort{}, fmt.Errorf("listen on %q: %w", c.Addr, err)
	}
	return fd, addr, nil
}

func listen(c ListenConfig) (int, netip.AddrPort, error) {
	sa, family, err := resolve(c.Addr)
	if err != nil {
		return -1, netip.AddrPort{}, err
	}
	fd, err := socket(family, c.Device, c.Nagle)
	if err != nil {
		return -1, netip.AddrPort{}, err
	}
	addr, err := bind(fd, sa, c.Backlog)
	if err != nil {
		unix.Close(fd)
		return -1, netip.AddrPort{}, err
	}
	return fd, addr, nil
}

// resolve turns host:port into what bind takes.
func resolve(addr string) (unix.Sockaddr, int, error) {
	if addr == "" {
		return nil, 0, errors.New("empty address")
	}
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, 0, err
	}
	if a.IP == nil {
		if !hasIPv6() {
			return &unix.SockaddrInet4{Port: a.Port}, unix.AF_INET, nil
		}
		return &unix.SockaddrInet6{Port: a.Port}, unix.AF_INET6, nil
	}
	return sockaddr(a.AddrPort())
}

// hasIPv6 reports whether the kernel makes IPv6 sockets.
func hasIPv6() bool {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

func sockaddr(a netip.AddrPort) (unix.Sockaddr, int, error) {
	ip := a.Addr().Unmap()
	switch {
	case !ip.IsValid():
		return nil, 0, errors.New("invalid address")
	case ip.Is4():
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}, unix.AF_INET, nil
	}
	zone, err := zoneIndex(ip.Zone())
	if err != nil {
		return nil, 0, err
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: ip.As16(), ZoneId: zone}, unix.AF_INET6, nil
}

// zoneIndex takes an interface's name or its index as text.
func zoneIndex(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if i, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(i), nil
	}
	card, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("zone %q: %w", zone, err)
	}
	return uint32(card.Index), nil
}

// socket makes a non-blocking TCP socket with the options both sides share.
func socket(family int, device string, nagle bool) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := configure(fd, family, device, nagle); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func configure(fd, family int, device string, nagle bool) error {
	if device != "" {
		if err := unix.BindToDevice(fd, device); err != nil {
			return fmt.Errorf("device %q: %w", device, os.NewSyscallError("setsockopt SO_BINDTODEVICE", err))
		}
	}
	if !nagle {
		// Accepted sockets inherit it from the listener.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return os.NewSyscallError("setsockopt TCP_NODELAY", err)
		}
	}
	if family == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0); err != nil {
			return os.NewSyscallError("setsockopt IPV6_V6ONLY", err)
		}
	}
	return nil
}

func bind(fd int, sa unix.Sockaddr, backlog int) (netip.AddrPort, error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return netip.AddrPort{}, os.NewSyscallError("setsockopt SO_REUSEADDR", err)
	}
	if err := unix.Bind(fd, sa); err != nil {
		return netip.AddrPort{}, os.NewSyscallError("bind", err)
	}
	if backlog <= 0 {
		backlog = DefaultBacklog
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return netip.AddrPort{}, os.NewSyscallError("listen", err)
	}
	return localAddr(fd)
}

// localAddr is the address a socket got. [::] stays as it is.
func localAddr(fd int) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, os.NewSyscallError("getsockname", err)
	}
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), nil
	case *unix.SockaddrInet6:
		addr := netip.AddrFrom16(a.Addr).Unmap()
		if a.ZoneId != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(a.ZoneId), 10))
		}
		return netip.AddrPortFrom(addr, uint16(a.Port)), nil
	}
	return netip.AddrPort{}, fmt.Errorf("getsockname: %w", unix.EAFNOSUPPORT)
}

func (s system) Connect(addr netip.AddrPort, device string, nagle bool) (int, error) {
	fd, err := connect(addr, device, nagle)
	if err != nil {
		return -1, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return fd, nil
}

func connect(addr netip.AddrPort, device string, nagle bool) (int, error) {
	sa, family, err := sockaddr(addr)
	if err != nil {
		return -1, err
	}
	fd, err := socket(family, device, nagle)
	if err != nil {
		return -1, err
	}
	switch err := unix.Connect(fd, sa); err {
	case nil, unix.EINPROGRESS, unix.EINTR: // Interrupted, it goes on all the same.
		return fd, nil
	default:
		unix.Close(fd)
		return -1, os.NewSyscallError("connect", err)
	}
}

func (s system) SocketError(fd int) syscall.Errno {
	value, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil {
		return syscall.Errno(value)
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return unix.EBADF
}

func (s system) CloseListener(fd int) error {
	if err := unix.Close(fd); err != nil && err != unix.EINTR {
		return fmt.Errorf("close listener %d: %w", fd, err)
	}
	return nil
}
