package poller

import (
	"fmt"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What another goroutine's Wake may find. Only the owner leaves woken, only
// the owner enters asleep.
//
//	awake --owner, before it sleeps--> asleep
//	awake, asleep --Wake--> woken            (from asleep: and writes)
//	asleep, woken --owner, back from Wait--> awake
//
// The owner looks at its queues after Wait, so a Wake that finds woken has
// nothing to do: whoever set it is not yet answered.
const (
	awake uint32 = iota
	asleep
	woken
)

const edges = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET

// epoll is the Poller of Linux.
type epoll struct {
	fd     int       // fixed after newEpoll
	signal int       // fixed after newEpoll: the eventfd, edge-triggered and never read
	zero   time.Time // fixed after newEpoll

	events [MaxEvents]unix.EpollEvent // owned by the loop, as is all down to state
	iovecs [MaxBuffers]unix.Iovec
	header unix.Msghdr // its Iov points at iovecs
	peer   unix.RawSockaddrAny
	length uint32 // of peer

	_     [64]byte
	state atomic.Uint32 // awake, asleep or woken
	_     [60]byte

	mu     sync.Mutex // orders a late Wake's write before Destroy's close
	closed bool       // guarded by mu; the loop also reads its own write
}

func newEpoll(zero time.Time) (*epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("new poller: epoll_create1: %w", err)
	}
	signal, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("new poller: eventfd: %w", err)
	}
	p := &epoll{fd: fd, signal: signal, zero: zero}
	p.header.Iov = &p.iovecs[0]
	if err := p.control(unix.EPOLL_CTL_ADD, signal, unix.EPOLLIN|unix.EPOLLET, ReservedData); err != nil {
		p.Destroy()
		return nil, fmt.Errorf("new poller: %w", err)
	}
	return p, nil
}

func (p *epoll) Wait(events []Event, timeout time.Duration) (int, error) {
	if p.closed {
		return 0, ErrClosed
	}
	n, errno := p.poll(events)
	if errno != 0 {
		return 0, waitError(errno)
	}
	if n == 0 && timeout != 0 {
		return p.sleep(events, timeout)
	}
	if p.state.Load() == woken {
		p.state.Store(awake)
	}
	return n, nil
}

// poll collects what is ready. It cannot block and so skips the scheduler.
func (p *epoll) poll(events []Event) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd),
			uintptr(unsafe.Pointer(&p.events)), uintptr(min(len(events), MaxEvents)), 0, 0, 0)
		if errno == 0 {
			return p.collect(events, int(n)), 0
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// sleep waits until there is something to report, a Wake, or the deadline.
// It goes back to sleep after EINTR and after the signal of a Wake that an
// earlier Wait has answered already.
func (p *epoll) sleep(events []Event, timeout time.Duration) (int, error) {
	begin := time.Now()
	for left := timeout; ; {
		if !p.state.CompareAndSwap(awake, asleep) {
			p.state.Store(awake)
			return 0, nil
		}
		n, _, errno := syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd),
			uintptr(unsafe.Pointer(&p.events)), uintptr(min(len(events), MaxEvents)), milliseconds(left), 0, 0)
		called := p.state.Swap(awake) == woken
		if errno != 0 && errno != unix.EINTR {
			return 0, waitError(errno)
		}
		if errno != 0 {
			n = 0
		}
		if k := p.collect(events, int(n)); k > 0 || called {
			return k, nil
		}
		if timeout > 0 {
			if left = timeout - time.Since(begin); left <= 0 {
				return 0, nil
			}
		}
	}
}

// collect copies the kernel's first n events, without the poller's own.
func (p *epoll) collect(events []Event, n int) int {
	k := 0
	for i := range p.events[:n] {
		e := &p.events[i]
		data := uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
		if data == ReservedData {
			continue
		}
		events[k] = Event{Data: data, Ready: ready(e.Events)}
		k++
	}
	return k
}

func ready(bits uint32) Ready {
	var r Ready
	if bits&unix.EPOLLIN != 0 {
		r |= Readable
	}
	if bits&unix.EPOLLOUT != 0 {
		r |= Writable
	}
	if bits&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		r |= Hangup
	}
	return r
}

// milliseconds rounds up; a negative timeout is forever.
func milliseconds(d time.Duration) uintptr {
	if d < 0 {
		return ^uintptr(0)
	}
	ms := int64(d) / int64(time.Millisecond)
	if int64(d)%int64(time.Millisecond) != 0 {
		ms++
	}
	return uintptr(min(ms, math.MaxInt32))
}

func waitError(errno syscall.Errno) error {
	return fmt.Errorf("wait for events: %w", os.NewSyscallError("epoll_pwait", errno))
}

func (p *epoll) Wake() error {
	if p.state.Load() == woken || p.state.Swap(woken) != asleep {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil // The number may be somebody else's socket by now.
	}
	one := uint64(1)
	_, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(p.signal), uintptr(unsafe.Pointer(&one)), 8)
	if errno != 0 {
		return fmt.Errorf("wake poller: %w", os.NewSyscallError("write", errno))
	}
	return nil
}

func (p *epoll) Add(fd int, data uint64) error {
	return p.watch(fd, edges, data)
}

func (p *epoll) AddListener(fd int, data uint64) error {
	return p.watch(fd, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, data)
}

func (p *epoll) watch(fd int, events uint32, data uint64) error {
	if data == ReservedData {
		return fmt.Errorf("watch descriptor %d: reserved data: %w", fd, unix.EINVAL)
	}
	if err := p.control(unix.EPOLL_CTL_ADD, fd, events, data); err != nil {
		return fmt.Errorf("watch descriptor %d: %w", fd, err)
	}
	return nil
}

func (p *epoll) Remove(fd int) error {
	if err := p.control(unix.EPOLL_CTL_DEL, fd, 0, 0); err != nil {
		return fmt.Errorf("stop watching descriptor %d: %w", fd, err)
	}
	return nil
}

func (p *epoll) control(operation, fd int, events uint32, data uint64) error {
	if p.closed {
		return ErrClosed
	}
	e := unix.EpollEvent{Events: events, Fd: int32(data), Pad: int32(data >> 32)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, operation, fd, &e))
}

func (p *epoll) Now() int64 { return int64(time.Since(p.zero)) }

func (p *epoll) Destroy() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	err := unix.Close(p.signal)
	if e := unix.Close(p.fd); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("destroy poller: %w", err)
	}
	return nil
}
