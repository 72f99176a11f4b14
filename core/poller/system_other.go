//go:build !linux

package poller

import (
	"net/netip"
	"syscall"
)

// System returns a network that refuses every call with ErrUnsupported.
func System() Network { return system{} }

type system struct{}

func (system) Listen(ListenConfig) (int, netip.AddrPort, error) {
	return -1, netip.AddrPort{}, ErrUnsupported
}

func (system) Connect(netip.AddrPort, string, bool) (int, error) { return -1, ErrUnsupported }

func (system) SocketError(int) syscall.Errno { return syscall.ENOSYS }

func (system) NewPoller() (Poller, error) { return nil, ErrUnsupported }

func (system) CloseListener(int) error { return ErrUnsupported }
