package bot

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"vitrine/core/frame"
)

// A server that takes one bot and then nobody: the other stays outside,
// and that is a fault with its cause.
func TestBotThatNeverGetsInIsAFault(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the first connection
		conn, err := ln.Accept()
		ln.Close()
		if err == nil {
			io.Copy(conn, conn)
			conn.Close()
		}
	}()
	s, err := New(Config{Addr: ln.Addr().String(), Bots: 2, RampUp: 8 * time.Second, Timeout: 5 * time.Second}) // the other is due after 4 s
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // ends when one plays and the other was refused, or with the test
		defer cancel()
		until(ctx, func() bool { now := s.Report(); return now.Received > 0 && now.ConnectErrors > 0 })
	}()
	got, err := s.Run(ctx)
	if err != nil || got.Sessions != 1 || got.ConnectErrors == 0 || got.Received == 0 {
		t.Fatalf("%v, %s, want one session and connect errors", err, got.JSON())
	}
	if got.OK() || got.Unconnected != 1 || got.Faults() != 1 {
		t.Errorf("%s, want one unconnected bot to be the fault", got.JSON())
	}
	finding := strings.Join(got.Findings, "\n")
	if !strings.HasPrefix(finding, "1 of 2 bots unconnected at the end, 1 never had a session; ") || !strings.Contains(finding, "refused") {
		t.Errorf("findings %q, want who stayed outside and why", finding)
	}
	var text strings.Builder
	if got.Print(&text); !strings.Contains(text.String(), "unconnected          1\n") || !strings.Contains(got.String(), "unconnected 1") {
		t.Errorf("the texts do not tell:\n%s\n%s", got.String(), &text)
	}
}

// A server that is late: the attempts that failed are told and are no fault.
func TestConnectErrorThatARetryMendedIsNoFault(t *testing.T) {
	t.Parallel()
	before, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := before.Addr().String()
	before.Close()
	s, err := New(Config{Addr: addr, Bots: 2, RampUp: -1, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // ends when both have played, or the test
		defer cancel()
		until(ctx, func() bool { return s.Report().Unconnected == 2 })
		late, err := net.Listen("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { late.Close() })
		go echoAll(late) // ends with the listener
		until(ctx, func() bool { now := s.Report(); return now.Sessions == 2 && now.Received > 10 })
	}()
	got, err := s.Run(ctx)
	if err != nil || !got.OK() || got.ConnectErrors < 2 || got.Unconnected != 0 || len(got.Findings) != 0 {
		t.Errorf("%v, %s, want connect errors and no fault", err, got.JSON())
	}
}

// echoAll serves each connection until the listener ends.
func echoAll(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() { // ends with the connection
			io.Copy(conn, conn)
			conn.Close()
		}()
	}
}

// until polls a condition until it holds or ctx ends.
func until(ctx context.Context, holds func() bool) {
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		}
	}
}

// Whose turn to connect has not come when the time is up was promised and
// is missing; who ends a run early by hand asked for that.
func TestBotThatIsNotDueIsMissedOnlyAtTheEndOfTheTime(t *testing.T) {
	t.Parallel()
	for _, byHand := range []bool{false, true} {
		r := startReference(t, frame.Codec{})
		cfg := Config{Bots: 2, RampUp: time.Hour, Think: time.Millisecond, Timeout: 5 * time.Second}
		var got Report
		if byHand {
			got = r.play(cfg, 10)
		} else {
			r.serve()
			cfg.Addr, cfg.For = r.addr(), 200*time.Millisecond
			var err error
			if got, err = Run(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
		}
		if got.OK() != byHand || (got.Unconnected == 0) != byHand || got.ConnectErrors != 0 {
			t.Errorf("ended by hand %v: %s", byHand, got.JSON())
		}
		if !byHand && !strings.Contains(strings.Join(got.Findings, ""), "no attempt failed") {
			t.Errorf("findings %q", got.Findings)
		}
	}
}
