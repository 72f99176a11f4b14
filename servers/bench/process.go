//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of a server under measurement.
const (
	startLimit = 10 * time.Second
	startStep  = 20 * time.Millisecond
	stopLimit  = 3 * time.Second
)

// portMark in a command stands for the port its server shall listen on.
const portMark = "{port}"

// target is a server to measure.
type target struct {
	name    string
	command []string // with portMark, or of a program that prints "listening ADDR"
}

// process is a running server, owned by the goroutine that started it.
type process struct {
	command *exec.Cmd
	addr    netip.AddrPort
}

// startServer runs a target on one core (negative: any) and returns when it
// listens. It ends with ctx, with the caller's thread, and with stop.
func startServer(ctx context.Context, t target, core int) (*process, error) {
	line, addr, err := placePort(t.command)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", t.name, err)
	}
	p := &process{command: exec.CommandContext(ctx, line[0], line[1:]...), addr: addr}
	p.command.Stderr = os.Stderr
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.command.Env = append(os.Environ(), pinnedEnv(core)...)
	output, err := p.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", t.name, err)
	}
	if err = onCore(core, p.command.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", t.name, err)
	}
	if err = p.awaitListener(output); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w", t.name, err)
	}
	return p, nil
}

// pid is the server's process.
func (p *process) pid() int { return p.command.Process.Pid }

// stop ends the server, gently first, and waits for it.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	impatient := time.AfterFunc(stopLimit, func() { _ = p.command.Process.Kill() })
	defer impatient.Stop()
	_ = p.command.Wait() // How a stopped server exits is not measured.
}

// awaitListener blocks until the server listens: until it says so, or, where
// the port was given, until it takes a connection.
func (p *process) awaitListener(output io.Reader) error {
	if p.addr.IsValid() {
		go io.Copy(io.Discard, output) // Ends with the server.
		return awaitPort(p.addr)
	}
	lines := bufio.NewReader(output)
	deadline := time.AfterFunc(startLimit, func() { _ = p.command.Process.Kill() })
	defer deadline.Stop()
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("no %q line: %w", strings.TrimSpace(listeningPrefix), err)
		}
		if text, ok := strings.CutPrefix(line, listeningPrefix); ok {
			go io.Copy(io.Discard, lines) // Ends with the server.
			p.addr, err = netip.ParseAddrPort(strings.TrimSpace(text))
			return err
		}
	}
}

func awaitPort(addr netip.AddrPort) error {
	for until := time.Now().Add(startLimit); ; time.Sleep(startStep) {
		conn, err := net.DialTimeout("tcp", addr.String(), startLimit)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(until) {
			return err
		}
	}
}

// placePort puts a free port where a command has portMark, and returns the
// address it means; without the mark the address is not valid.
func placePort(command []string) ([]string, netip.AddrPort, error) {
	if len(command) == 0 {
		return nil, netip.AddrPort{}, errors.New("empty command")
	}
	if !strings.Contains(strings.Join(command, " "), portMark) {
		return command, netip.AddrPort{}, nil
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	defer free.Close()
	addr := free.Addr().(*net.TCPAddr).AddrPort()
	line := make([]string, len(command))
	for i, word := range command {
		line[i] = strings.ReplaceAll(word, portMark, strconv.Itoa(int(addr.Port())))
	}
	return line, addr, nil
}

// pinnedEnv tells a Go program that it has one core.
func pinnedEnv(core int) []string {
	if core < 0 {
		return nil
	}
	return []string{"GOMAXPROCS=1"}
}

// onCore calls start while this thread is bound to a core, so that the process
// it starts inherits the bond. A negative core binds nothing.
func onCore(core int, start func() error) error {
	if core < 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("read the cores: %w", err)
	}
	defer unix.SchedSetaffinity(0, &before)
	var one unix.CPUSet
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("bind to core %d: %w", core, err)
	}
	return start()
}

// ownTarget is a kind of this program as a process of its own.
func ownTarget(name, kind string, extra ...string) (target, error) {
	self, err := os.Executable()
	if err != nil {
		return target{}, err
	}
	return target{name, append([]string{self, "serve", kind}, extra...)}, nil
}
