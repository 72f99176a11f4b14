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
	for i, want := range []bool{true, true, false} {
		if got := d.enter(); got != want {
			t.Fatalf("entry %d: %v", i, got)
		}
	}
	if d.leave(); !d.enter() {
		t.Error("a place given back is refused")
	}
}

// serveForTest runs a server until the test ends.
func serveForTest(t *testing.T, command *serveCommand) netip.AddrPort {
	t.Helper()
	command.Addr, command.MaxSessions, command.Workers = "127.0.0.1:0", 100, 1
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() { done <- kinds()[command.Kind](ctx, command, func(a net.Addr) { ready <- a }) }()
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

// driveForTest loads a server for a moment.
func driveForTest(t *testing.T, addr netip.AddrPort, s shape) {
	t.Helper()
	g, err := newGenerator(s)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	if err = g.connect(addr); err != nil {
		t.Fatal(err)
	}
	got, err := g.run(30 * time.Millisecond)
	if want := uint64(s.conns * s.depth); err != nil || got.messages < want || got.latency.count == 0 {
		t.Errorf("%+v: %d messages, %v, want at least %d", s, got.messages, err, want)
	}
}

func TestEveryKindEchoesEverySize(t *testing.T) {
	for _, kind := range kindNames() {
		if kind == gatherKind {
			continue
		}
		addr := serveForTest(t, &serveCommand{Kind: kind, Codec: codecLAN})
		for _, s := range []shape{
			{conns: 10, depth: 1, size: 12}, {conns: 10, depth: 16, size: 32},
			{conns: 3, depth: 8, size: 5000}, {conns: 2, depth: 4, size: maxPayload},
		} {
			s.codec = codecLAN
			driveForTest(t, addr, s)
		}
	}
}

func TestEveryCodecEchoes(t *testing.T) {
	for _, codec := range []string{"lan", "classic", "sealed"} {
		addr := serveForTest(t, &serveCommand{Kind: subjectKind, Codec: codec})
		driveForTest(t, addr, shape{conns: 10, depth: 16, size: 32, codec: codec})
	}
}

func TestGatheredAnswersAreChecked(t *testing.T) {
	addr := serveForTest(t, &serveCommand{Kind: gatherKind, Codec: codecLAN, Gather: 16})
	driveForTest(t, addr, shape{conns: 10, depth: 16, size: 32, codec: codecLAN, gathered: true})
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
	g, err := newGenerator(shape{conns: 1, depth: 1, size: 32, codec: codecLAN})
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
	g, err := newGenerator(shape{conns: 1, depth: 1, size: 32, codec: codecLAN})
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
