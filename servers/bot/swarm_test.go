package bot

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"vitrine/core/frame"
)

// Each way a server can end a connection is a server disconnect with its
// own reason; a fault in the stream is a wrong reply instead.
func TestSwarmNamesHowConnectionsEnded(t *testing.T) {
	t.Parallel()
	all := codecs(t)
	tests := []struct {
		name, codec string
		end         func(p *peer)
		reason      string
		want        columns
	}{
		{"closes", "lan", func(*peer) {}, "peer_closed", columns{disconnects: 1}},
		{"closes inside a frame", "lan", func(p *peer) { p.conn.Write([]byte{8, 0, 1}) }, "truncated", columns{disconnects: 1}},
		{"resets", "lan", func(p *peer) { p.link.reset() }, "reset", columns{disconnects: 1}},
		{"says goodbye", "sealed", func(p *peer) { p.link.leave() }, "peer_closed", columns{disconnects: 1}},
		{"closes without goodbye", "sealed", func(*peer) {}, "truncated", columns{disconnects: 1}},
		{"sends another code", "classic", func(p *peer) { p.conn.Write([]byte{1, 2, 0, 4, 5}) }, "bad_code", columns{wrong: 1}},
		{"sends a length of zero", "lan", func(p *peer) { p.conn.Write([]byte{0, 0}) }, "bad_length", columns{wrong: 1}},
		{"sends a bad tag", "sealed", func(p *peer) { p.conn.Write(append([]byte{40, 0}, make([]byte, 40)...)) }, "bad_tag", columns{wrong: 1}},
		{"sends a bad checksum", "classic", func(p *peer) {
			out, _ := p.link.seal(nil, make([]byte, 8))
			out[len(out)-1] ^= 1
			p.conn.Write(out)
		}, "bad_checksum", columns{wrong: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := startReference(t, all[test.codec].server)
			ended := false
			r.onReply = func(p *peer, n int) bool {
				if n != 5 || ended {
					return false
				}
				ended = true
				test.end(p)
				return true
			}
			got := r.play(Config{Codec: all[test.codec].client, Think: time.Millisecond, Timeout: 5 * time.Second}, 20)
			if got.columns() != test.want {
				t.Errorf("got %+v, want %+v: %s", got.columns(), test.want, got.JSON())
			}
			if n := got.CloseReasons[test.reason]; test.reason != "" && n != 1 {
				t.Errorf("reason %s: %d times, want once: %v", test.reason, n, got.CloseReasons)
			}
		})
	}
}

func TestSwarmCountsConnectErrorsAndSaysThatNothingRan(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	s, err := New(Config{Addr: addr, Bots: 3, RampUp: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // ends when an error was counted
		for s.Report().ConnectErrors == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond) // sleep: polls a counter
		}
		cancel()
	}()
	got, err := s.Run(ctx)
	cancel()
	if !errors.Is(err, syscall.ECONNREFUSED) || got.ConnectErrors == 0 || got.OK() {
		t.Errorf("got %v, %s, want refused", err, got.JSON())
	}
	if _, err := s.Run(t.Context()); err == nil {
		t.Error("a second Run has no error")
	}
}

func TestSwarmLeavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	r := startReference(t, frame.Codec{})
	got := r.play(Config{Bots: 20, RampUp: -1, Think: time.Millisecond, Churn: 10, Timeout: 5 * time.Second}, 2000)
	if !got.OK() {
		t.Errorf("%s", got.JSON())
	}
	r.stop()
	goleak.VerifyNone(t, before)
}

// A server that accepts and never shakes hands has disconnected nobody.
func TestSwarmCountsASlowHandshakeAsAConnectError(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got, err := Run(t.Context(), Config{
		Addr: ln.Addr().String(), Codec: codecs(t)["sealed"].client,
		Timeout: 100 * time.Millisecond, For: 500 * time.Millisecond, RampUp: -1,
	})
	if err == nil || got.ConnectErrors == 0 || got.Connects < got.ConnectErrors || got.ServerDisconnects != 0 {
		t.Errorf("%v, %s, want connect errors alone", err, got.JSON())
	}
}

func TestSwarmReportsLiveAndStopsByItself(t *testing.T) {
	t.Parallel()
	r := startReference(t, frame.Codec{})
	r.serve()
	live := 0
	got, err := Run(t.Context(), Config{
		Addr: r.addr(), Bots: 2, RampUp: -1, Rate: 50, For: 1200 * time.Millisecond, Timeout: 5 * time.Second,
		Live: func(now Report) {
			if live++; now.Bots != 2 || now.Sent < now.Received {
				t.Errorf("live: %s", now.JSON())
			}
		},
	})
	if err != nil || live != 1 || !got.OK() || got.Received < 20 {
		t.Errorf("%v, %d live reports, %s", err, live, got.JSON())
	}
}

func TestConfigNamesEveryBadField(t *testing.T) {
	_, err := New(Config{
		Protocol: "game", Bots: -1, Depth: -1, Size: 3, Rate: -1, Churn: -1,
		For: -1, Timeout: -1, Drain: -1,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{"addr", "protocol", "bots", "depth", "size", "rate", "churn", "for", "timeout", "drain"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%q is not named: %v", field, err)
		}
	}
	if _, err := New(Config{Addr: "x", Protocol: Chat, Size: 49}); err == nil {
		t.Error("an odd text is no error")
	}
}

func TestParseCodec(t *testing.T) {
	for name, want := range map[string]frame.Kind{
		"": frame.KindLAN, "lan": frame.KindLAN, "classic": frame.KindClassicB,
		"classic-b": frame.KindClassicB, "classic-a": frame.KindClassicA,
	} {
		codec, err := ParseCodec(name, "")
		if err != nil || codec.Kind() != want {
			t.Errorf("%q: %v, %v, want %v", name, codec.Kind(), err, want)
		}
	}
	for _, name := range []string{"sealed", "tls"} {
		if _, err := ParseCodec(name, "no key"); err == nil {
			t.Errorf("%q without a key: no error", name)
		}
	}
}

func TestReportHasItsFieldNames(t *testing.T) {
	r := Report{Addr: "a", CloseReasons: map[string]uint64{"bot_finished": 2, "reset": 1}, RTTp50: 12.5, Findings: []string{"bot 1: wrong"}}
	var fields map[string]any
	if err := json.Unmarshal(r.JSON(), &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"addr", "sessions", "sent", "received", "wrong", "missing", "server_disconnects",
		"rtt_p50_us", "rtt_p99_us", "rtt_p999_us", "rtt_max_us", "connects", "connect_errors", "bots", "close_reasons",
	} {
		if _, ok := fields[name]; !ok {
			t.Errorf("no field %s", name)
		}
	}
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"wrong                0\n", "p50 13µs", "2 bot_finished", "1 reset", "bot 1: wrong"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	if strings.Contains(r.String(), "\n") {
		t.Error("the line for a terminal has two")
	}
}

// Two runs with one seed choose the same; another seed does not.
func TestSeedDecidesTheChoices(t *testing.T) {
	choices := func(seed uint64) []sector {
		s, err := New(Config{Addr: "nowhere", Protocol: Chat, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		c := s.bots[0].play.(*chat)
		c.begin(&link{codec: &s.cfg.Codec}, 1, 0)
		var all []sector
		for range 10 {
			c.move(nil, 0)
			all = append(all, c.to)
		}
		return all
	}
	if !slices.Equal(choices(1), choices(1)) || slices.Equal(choices(1), choices(2)) {
		t.Error("the seed does not decide")
	}
}
