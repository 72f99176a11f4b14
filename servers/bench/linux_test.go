//go:build linux

package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

func TestResidentMemoryIsRead(t *testing.T) {
	got, err := parseResident([]byte("Name:\tx\nVmHWM:\t  9 kB\nVmRSS:\t    12 kB\n"))
	if err != nil || got != 12<<10 {
		t.Errorf("%d, %v, want %d", got, err, 12<<10)
	}
	for _, text := range []string{"", "VmRSS:\t12\n", "VmRSS:\tx kB\n"} {
		if got, err := parseResident([]byte(text)); err == nil {
			t.Errorf("%q gives %d", text, got)
		}
	}
}

func TestProcessClockAdvancesWithWork(t *testing.T) {
	own, err := cpuTime(0)
	if err != nil {
		t.Fatal(err)
	}
	byID, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if byID < own || byID > own+10*time.Second {
		t.Errorf("own clock %v, clock by process id %v", own, byID)
	}
}

func TestPortIsPlaced(t *testing.T) {
	line, addr, err := placePort([]string{"echo", "--port={port}", "2"})
	if err != nil || !addr.IsValid() || line[0] != "echo" || line[1] != "--port="+strings.Split(addr.String(), ":")[1] || line[2] != "2" {
		t.Errorf("%q at %v, %v", line, addr, err)
	}
	if line, addr, err = placePort([]string{"serve", "std"}); err != nil || addr.IsValid() || len(line) != 2 {
		t.Errorf("without a mark: %q at %v, %v", line, addr, err)
	}
	if _, _, err = placePort(nil); err == nil {
		t.Error("an empty command is taken")
	}
}

func TestDoorRefusesOverItsLimit(t *testing.T) {
	d := &door{limit: 2}
	if !d.enter() || !d.enter() || d.enter() {
		t.Fatal("limit of 2 is not kept")
	}
	if d.leave(); !d.enter() {
		t.Error("a place given back is refused")
	}
}

// serveForTest runs a kind until the test ends.
func serveForTest(t *testing.T, kind string) netip.AddrPort {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan net.Addr, 1), make(chan error, 1)
	command := &serveCommand{Kind: kind, Addr: "127.0.0.1:0", MaxSessions: 100}
	go func() { done <- kinds()[kind](ctx, command, func(a net.Addr) { ready <- a }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case addr := <-ready:
		return addr.(*net.TCPAddr).AddrPort()
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
	return netip.AddrPort{}
}

func TestEveryKindEchoesEverySize(t *testing.T) {
	for _, kind := range kindNames() {
		addr := serveForTest(t, kind)
		for _, s := range []shape{{10, 1, 12}, {10, 16, 32}, {3, 8, 5000}, {2, 4, maxPayload}} {
			g, err := newGenerator(s)
			if err != nil {
				t.Fatal(err)
			}
			if err = g.connect(addr); err != nil {
				t.Fatal(err)
			}
			got, err := g.run(30 * time.Millisecond)
			g.close()
			if want := uint64(s.conns * s.depth); err != nil || got.messages < want || got.latency.count == 0 {
				t.Errorf("%s %+v: %d messages, %v, want at least %d", kind, s, got.messages, err, want)
			}
		}
	}
}

func TestWrongEchoIsFound(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() { // Ends when the generator closes.
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		frame := make([]byte, headerSize+32)
		for {
			if _, err = conn.Read(frame); err != nil {
				return
			}
			frame[20] ^= 1
			if _, err = conn.Write(frame); err != nil {
				return
			}
		}
	}()
	g, err := newGenerator(shape{1, 1, 32})
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	if err = g.connect(listener.Addr().(*net.TCPAddr).AddrPort()); err != nil {
		t.Fatal(err)
	}
	if _, err = g.run(time.Second); err == nil || !strings.Contains(err.Error(), "echo differs") {
		t.Errorf("altered echo: %v", err)
	}
}

func TestServerThatClosesIsReported(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() { // Ends when the connection is taken.
		if conn, err := listener.Accept(); err == nil {
			conn.Close()
		}
	}()
	g, err := newGenerator(shape{1, 1, 32})
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	if err = g.connect(listener.Addr().(*net.TCPAddr).AddrPort()); err != nil {
		t.Fatal(err)
	}
	if _, err = g.run(time.Second); err == nil {
		t.Error("a closed connection is no error")
	}
}
