package poller

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func testListen(t testing.TB, c ListenConfig) (int, netip.AddrPort) {
	t.Helper()
	fd, addr, err := System().Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd, addr
}

// testDial connects with the standard library, so that it checks ours.
func testDial(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

func testAccept(t testing.TB, p *epoll, listener int) (int, netip.AddrPort) {
	t.Helper()
	fd, peer, errno := p.Accept(listener)
	if errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd, peer
}

// testPair is an accepted socket and the client at its other end.
func testPair(t testing.TB, p *epoll) (int, *net.TCPConn) {
	t.Helper()
	listener, addr := testListen(t, ListenConfig{Addr: "127.0.0.1:0"})
	client := testDial(t, addr.String())
	fd, _ := testAccept(t, p, listener)
	return fd, client
}

func TestAcceptTellsThePeersAddress(t *testing.T) {
	p := newTestPoller(t)
	for _, c := range []struct{ name, listen, dial string }{
		{"IPv4", "127.0.0.1:0", "127.0.0.1"},
		{"every IPv4 address", "0.0.0.0:0", "127.0.0.1"},
		{"IPv6", "[::1]:0", "::1"},
		{"IPv4 to every address", ":0", "127.0.0.1"},
		{"IPv6 to every address", "[::]:0", "::1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.dial, ":") && !hasLoopback6() {
				t.Skip("no IPv6 loopback")
			}
			listener, addr := testListen(t, ListenConfig{Addr: c.listen})
			client := testDial(t, net.JoinHostPort(c.dial, port(addr)))
			_, peer := testAccept(t, p, listener)
			if want := client.LocalAddr().(*net.TCPAddr).AddrPort(); peer != want {
				t.Errorf("peer %v, want %v", peer, want)
			}
		})
	}
}

func hasLoopback6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err == nil {
		l.Close()
	}
	return err == nil
}

func port(addr netip.AddrPort) string {
	_, p, _ := net.SplitHostPort(addr.String())
	return p
}

func TestLinkLocalAddressKeepsItsZone(t *testing.T) {
	var sa unix.RawSockaddrAny
	in := (*unix.RawSockaddrInet6)(addressOf(&sa))
	*in = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: [16]byte{0xfe, 0x80, 15: 1}, Scope_id: 7}
	if got, want := addrPort(&sa), netip.MustParseAddrPort("[fe80::1%7]:0"); got != want {
		t.Errorf("address %v, want %v", got, want)
	}
	sa.Addr.Family = unix.AF_UNIX
	if got := addrPort(&sa); got.IsValid() {
		t.Errorf("address %v of another family, want none", got)
	}
}

func TestAcceptedSocketDoesNotBlockNorSurviveExec(t *testing.T) {
	p := newTestPoller(t)
	fd, _ := testPair(t, p)
	if _, errno := p.Read(fd, make([]byte, 1)); errno != unix.EAGAIN {
		t.Errorf("read of nothing: %v, want EAGAIN", errno)
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %x, %v, want FD_CLOEXEC", flags, err)
	}
}

func TestAcceptedSocketInheritsNoDelay(t *testing.T) {
	p := newTestPoller(t)
	for _, nagle := range []bool{false, true} {
		listener, addr := testListen(t, ListenConfig{Addr: "127.0.0.1:0", Nagle: nagle})
		testDial(t, addr.String())
		fd, _ := testAccept(t, p, listener)
		got, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY)
		if err != nil || (got != 0) == nagle {
			t.Errorf("Nagle %v: TCP_NODELAY %d, %v", nagle, got, err)
		}
	}
}

func TestBacklogIsSet(t *testing.T) {
	for _, c := range []struct{ backlog, want int }{{7, 7}, {0, DefaultBacklog}} {
		fd, _ := testListen(t, ListenConfig{Addr: "127.0.0.1:0", Backlog: c.backlog})
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		// Of a listener, sacked is the limit of the queue.
		if got := int(info.Sacked); got != min(c.want, somaxconn(t)) {
			t.Errorf("backlog %d, want %d", got, c.want)
		}
	}
}

func somaxconn(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, digit := range strings.TrimSpace(string(text)) {
		n = n*10 + int(digit-'0')
	}
	return n
}

func TestListenBindsToADevice(t *testing.T) {
	fd, _, err := System().Listen(ListenConfig{Addr: "127.0.0.1:0", Device: "lo"})
	if errors.Is(err, unix.EPERM) {
		t.Skip("binding to a device is not permitted: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if got, err := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE); got != "lo" || err != nil {
		t.Errorf("device %q, %v, want lo", got, err)
	}
}

func TestListenErrorsNameAddressAndStep(t *testing.T) {
	_, taken := testListen(t, ListenConfig{Addr: "127.0.0.1:0"})
	for _, c := range []struct {
		config ListenConfig
		cause  error
		words  string
	}{
		{ListenConfig{Addr: taken.String()}, unix.EADDRINUSE, "bind: address already in use"},
		{ListenConfig{Addr: "192.0.2.77:1"}, unix.EADDRNOTAVAIL, "bind: cannot assign requested address"},
		{ListenConfig{Addr: "127.0.0.1:0", Device: "nocard0"}, unix.ENODEV, `device "nocard0"`},
		{ListenConfig{Addr: "[fe80::1%nocard0]:0"}, nil, `"nocard0"`},
		{ListenConfig{}, nil, "empty address"},
		{ListenConfig{Addr: "127.0.0.1"}, nil, "missing port"},
	} {
		before := openDescriptors(t)
		fd, _, err := System().Listen(c.config)
		if err == nil || fd != -1 || c.cause != nil && !errors.Is(err, c.cause) {
			t.Errorf("listen on %q gave %d, %v, want %v", c.config.Addr, fd, err, c.cause)
			continue
		}
		if !strings.Contains(err.Error(), c.config.Addr) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("error %q, want the address and %q", err, c.words)
		}
		if after := openDescriptors(t); after != before {
			t.Errorf("listen on %q left %d descriptors open, want %d", c.config.Addr, after, before)
		}
	}
}

func TestPortIsFreeAgainAtOnce(t *testing.T) {
	p := newTestPoller(t)
	listener, addr := testListen(t, ListenConfig{Addr: "127.0.0.1:0"})
	client := testDial(t, addr.String())
	fd, _ := testAccept(t, p, listener)
	p.Close(fd) // Closes first and so keeps the port in TIME_WAIT.
	client.Close()
	System().CloseListener(listener)
	again, _, err := System().Listen(ListenConfig{Addr: addr.String()})
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(again)
}

func TestConnectRefusesAnInvalidAddress(t *testing.T) {
	if fd, err := System().Connect(netip.AddrPort{}, "", false); err == nil || fd != -1 {
		t.Errorf("connect to nothing gave %d, %v", fd, err)
	}
	if got := System().SocketError(-1); got != unix.EBADF {
		t.Errorf("socket error %v, want EBADF", got)
	}
}

func TestReadAndWriteMoveTheBytes(t *testing.T) {
	p := newTestPoller(t)
	fd, client := testPair(t, p)
	b := make([]byte, 64)

	client.Write([]byte("question"))
	if n, errno := p.Read(fd, b); errno != 0 || string(b[:n]) != "question" {
		t.Errorf("read %q, %v", b[:n], errno)
	}
	if n, errno := p.Write(fd, []byte("ans")); errno != 0 || n != 3 {
		t.Errorf("wrote %d, %v", n, errno)
	}
	if n, errno := p.Writev(fd, [][]byte{[]byte("w"), []byte("er")}); errno != 0 || n != 3 {
		t.Errorf("wrote %d, %v", n, errno)
	}
	if errno := p.Shutdown(fd); errno != 0 {
		t.Error(errno)
	}
	got := ""
	for {
		n, err := client.Read(b)
		if got += string(b[:n]); err != nil {
			break
		}
	}
	if got != "answer" {
		t.Errorf("client read %q, want answer", got)
	}
}

func TestWriteToABrokenConnectionRaisesNoSignal(t *testing.T) {
	p := newTestPoller(t)
	fd, client := testPair(t, p)
	client.SetLinger(0)
	client.Close()
	for _, want := range []syscall.Errno{unix.ECONNRESET, unix.EPIPE} {
		if _, errno := p.Writev(fd, [][]byte{[]byte("x")}); errno != want {
			t.Errorf("write: %v, want %v", errno, want)
		}
	}
}

// exhaust names the environment variable that makes this program the child of
// TestAcceptWithoutDescriptors.
const exhaust = "POLLER_TEST_EXHAUST"

// A process that has run out of descriptors keeps the connection queued and
// accepts it once it has one again. It takes a process of its own, since
// nothing else works in it meanwhile.
func TestAcceptWithoutDescriptors(t *testing.T) {
	if os.Getenv(exhaust) != "" {
		acceptWithoutDescriptors(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestAcceptWithoutDescriptors$")
	child.Env = append(os.Environ(), exhaust+"=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func acceptWithoutDescriptors(t *testing.T) {
	p := newTestPoller(t)
	listener, addr := testListen(t, ListenConfig{Addr: "127.0.0.1:0"})
	p.AddListener(listener, 1)
	testDial(t, addr.String())
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: 64}); err != nil {
		t.Fatal(err)
	}
	last := -1
	for {
		fd, err := unix.Dup(listener)
		if err != nil {
			break
		}
		last = fd
	}
	events := make([]Event, 4)
	for range 2 {
		if n, err := p.Wait(events, -1); n != 1 || err != nil {
			t.Fatalf("Wait gave %d, %v, want the listener", n, err)
		}
		if fd, _, errno := p.Accept(listener); fd != -1 || errno != unix.EMFILE {
			t.Fatalf("accept gave %d, %v, want EMFILE", fd, errno)
		}
	}
	if _, _, err := System().Listen(ListenConfig{Addr: "127.0.0.1:0"}); !errors.Is(err, unix.EMFILE) {
		t.Fatalf("listen: %v, want EMFILE", err)
	}
	if _, err := System().NewPoller(); !errors.Is(err, unix.EMFILE) {
		t.Fatalf("new poller: %v, want EMFILE", err)
	}
	unix.Close(last)
	if fd, _, errno := p.Accept(listener); errno != 0 || fd != last {
		t.Fatalf("accept gave %d, %v, want %d", fd, errno, last)
	}
}
