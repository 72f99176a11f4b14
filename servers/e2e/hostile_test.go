//go:build linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vitrine/servers/bot"
	"vitrine/servers/observe"
)

// echoServer starts serve echo with timeouts under which hostile clients are found out: the first for frame and handshake.
func echoServer(t *testing.T, codec string, timeout, idle time.Duration) (p *program, name string, at server) {
	t.Helper()
	name = "echo-" + codec
	args := []string{"serve", "echo", "--codec", codec, "--port-base", "0"}
	for _, setting := range []string{
		fmt.Sprintf("idle_timeout=%v", idle), fmt.Sprintf("frame_timeout=%v", timeout),
		fmt.Sprintf("handshake_timeout=%v", timeout), "send_limit=128KiB", "max_packet=8KiB",
	} {
		args = append(args, "--set", "echo."+codec+"."+setting)
	}
	p = launch(t, args...)
	return p, name, p.server(name)
}

type attack func(context.Context, bot.Target) bot.Ending

// neverRead sends valid packets as fast as the server takes them and reads nothing that comes back. Its receive buffer is
// small from the start: one that is made smaller once data flows leaves both kernels resending with doubling pauses, and
// the server with a client that is merely slow.
func neverRead(ctx context.Context, to bot.Target) bot.Ending {
	dialer := net.Dialer{Timeout: patience, Control: func(_, _ string, raw syscall.RawConn) (err error) {
		bad := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
		return errors.Join(bad, err)
	}}
	c, err := dial(ctx, &dialer, to.Addr, to.Codec)
	if err != nil {
		return bot.Ending{Reason: "connect_error", Err: err}
	}
	defer c.conn.Close()
	for err == nil {
		err = c.send(make([]byte, 1024))
	}
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return bot.Ending{Reason: "reset", Err: err}
	}
	return bot.Ending{Reason: "stalled", Err: err}
}

// dribble sends a frame of more bytes than the frame timeout has ticks.
func dribble(ctx context.Context, to bot.Target) bot.Ending {
	to.Pause = time.Second
	return bot.Dribble(ctx, to)
}

// spoilt sends valid frames whose last byte is another.
func spoilt(_ context.Context, to bot.Target) bot.Ending {
	c, err := connect(to.Addr, to.Codec)
	if err != nil {
		return bot.Ending{Reason: "connect_error", Err: err}
	}
	defer c.conn.Close()
	whole := c.seal(make([]byte, 64))
	whole[len(whole)-1] ^= 0x55
	c.conn.Write(whole)
	for err == nil {
		_, err = c.receive()
	}
	if errors.Is(err, io.EOF) {
		return bot.Ending{Reason: "peer_closed", Err: err}
	}
	return bot.Ending{Reason: "reset", Err: err}
}

// hostile is a way to misbehave and the reason each server must end it with.
var hostile = []struct {
	name                 string
	attack               attack
	lan, classic, sealed string
}{
	{"garbage", bot.Garbage, "bad_length", "bad_code", "handshake_failed"},
	{"half frame", bot.HalfFrame, "frame_timeout", "frame_timeout", "frame_timeout"},
	{"one byte a second", dribble, "frame_timeout", "frame_timeout", "frame_timeout"},
	{"never reads", neverRead, "send_queue_full", "send_queue_full", "send_queue_full"},
	{"never shakes hands", bot.NeverShake, "idle_timeout", "idle_timeout", "handshake_timeout"},
	{"spoilt frame", spoilt, "", "bad_checksum", "bad_tag"},
}

func TestHostileClientsAreClosedWithTheRightReason(t *testing.T) {
	for _, codec := range []string{"lan", "classic", "sealed"} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			p, name, at := echoServer(t, codec, 2*time.Second, 4*time.Second)
			to := bot.Target{Addr: at.addr, Codec: parseCodec(t, codec, at)}
			neighbours := play(t, codec+" neighbours", bot.Config{
				Addr: to.Addr, Codec: to.Codec, Bots: 10, Depth: 4, Greeting: true, RampUp: -1, Timeout: patience, Drain: patience,
			})
			want := map[string]uint64{}
			for _, h := range hostile {
				reason := map[string]string{"lan": h.lan, "classic": h.classic, "sealed": h.sealed}[codec]
				if reason == "" {
					continue
				}
				want[reason]++
				before := p.figures(name).CloseReasons[reason]
				if end := assault(t, h.attack, to); !serverEnded(end) {
					t.Errorf("%s: %+v, want the server to end it", h.name, end)
				}
				p.await(name, func(now observe.ServerStatus) bool { return now.CloseReasons[reason] == before+1 })
			}
			if got := p.figures(name).CloseReasons; !maps.Equal(got, want) {
				t.Errorf("reasons %v, want %v", got, want)
			}
			neighbours.finish()
		})
	}
}

// assault runs one attack to its end.
func assault(t *testing.T, act attack, to bot.Target) bot.Ending {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	return act(ctx, to)
}

// serverEnded tells whether the connection stood and the server ended it.
func serverEnded(end bot.Ending) bool {
	return slices.Contains([]string{"peer_closed", "truncated", "reset"}, end.Reason)
}

// A crowd of hostile clients at once: each is closed for what it did, the memory stays within the limits, and those beside
// them notice nothing.
func TestCrowdOfHostileClientsDisturbsNobody(t *testing.T) {
	// A large crowd takes its time to shake hands: the attackers share this machine with the server.
	p, name, at := echoServer(t, "sealed", 2*time.Second*time.Duration(1+*attackers/200), 2*patience)
	to := bot.Target{Addr: at.addr, Codec: parseCodec(t, "sealed", at), Timeout: patience}
	neighbours := play(t, "neighbours", bot.Config{
		Addr: to.Addr, Codec: to.Codec, Bots: 20, Depth: 2, Greeting: true, RampUp: -1, Timeout: patience, Drain: patience,
	})
	before := p.memory()
	want := map[string]uint64{}
	var crowd sync.WaitGroup
	var unbroken atomic.Int64
	for i := range *attackers {
		h := hostile[i%len(hostile)]
		want[h.sealed]++
		one := to
		one.Seed = uint64(i)
		crowd.Go(func() {
			if end := assault(t, h.attack, one); !serverEnded(end) && unbroken.Add(1) <= 8 {
				t.Errorf("%s, %d: %+v, want the server to end it", h.name, i, end)
			}
		})
	}
	crowd.Wait()
	figures := p.await(name, func(now observe.ServerStatus) bool { return now.Sessions == 20 })
	if !maps.Equal(figures.CloseReasons, want) {
		t.Errorf("reasons %v, want %v", figures.CloseReasons, want)
	}
	report := neighbours.finish()
	// The send limit of 128 KiB and a partial frame of 8 KiB is what a session may hold of the server; 4 KiB is for the rest.
	most := before + 32<<20 + int64(*attackers)*(140<<10)
	if now := p.memory(); now > most {
		t.Errorf("the server took %d MiB, want at most %d MiB", now>>20, most>>20)
	}
	t.Logf("%d attackers: reasons %v; memory at most %d MiB, %d MiB before; neighbours: %s",
		*attackers, figures.CloseReasons, p.memory()>>20, before>>20, report.String())
}
