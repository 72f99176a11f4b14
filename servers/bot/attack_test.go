package bot

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"vitrine/core/frame"
)

func TestAttackersTellHowTheServerEndedThem(t *testing.T) {
	t.Parallel()
	closed := []string{"peer_closed", "truncated", "reset"}
	// A server that closes with bytes unread resets, and whether the
	// attacker writes once more before it reads is a race.
	tests := []struct {
		name   string
		attack func(context.Context, Target) Ending
	}{
		{"garbage", Garbage},
		{"half frame", HalfFrame},
		{"dribble", Dribble},
		{"never read", NeverRead},
		{"never shake", NeverShake},
		{"flood", func(ctx context.Context, t Target) Ending { return Flood(ctx, t, 1000) }},
	}
	var all sync.WaitGroup
	defer all.Wait()
	for name, codec := range codecs(t) {
		r := startReference(t, codec.server)
		r.patience = 150 * time.Millisecond
		r.serve()
		for _, test := range tests {
			all.Go(func() {
				t.Run(name+" "+test.name, func(t *testing.T) {
					got := test.attack(t.Context(), Target{Addr: r.addr(), Codec: codec.client, Pause: time.Millisecond, Patience: 500 * time.Millisecond})
					if !slices.Contains(closed, got.Reason) || got.Err == nil || got.After == 0 {
						t.Errorf("got %+v, want one of %v", got, closed)
					}
				})
			})
		}
	}
}

func TestAttackersEndWithTheirContext(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for name, attack := range map[string]func(context.Context, Target) Ending{
		"garbage": Garbage, "half frame": HalfFrame, "dribble": Dribble,
		"never read": NeverRead, "never shake": NeverShake,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		got := attack(ctx, Target{Addr: ln.Addr().String()})
		cancel()
		if got.Reason != "context" {
			t.Errorf("%s: got %+v, want reason context", name, got)
		}
	}
}

// A server that neither reads nor closes is no match for NeverRead.
func TestNeverReadTellsAStall(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := NeverRead(t.Context(), Target{Addr: ln.Addr().String(), Patience: 50 * time.Millisecond})
	if got.Reason != "stalled" || got.Sent == 0 {
		t.Errorf("got %+v, want stalled", got)
	}
}

func TestAttackersTellThatNothingBegan(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	if got := HalfFrame(t.Context(), Target{Addr: addr}); got.Reason != "connect_error" || got.Err == nil {
		t.Errorf("got %+v, want connect_error", got)
	}
}

// A half frame is half: what is written is a prefix of one valid frame.
func TestHalfFrameIsHalf(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan []byte, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // ends with the connection
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 33)
		io.ReadFull(conn, buf)
		cancel()
		more, _ := io.ReadAll(conn)
		got <- append(buf, more...)
	}()
	end := HalfFrame(ctx, Target{Addr: ln.Addr().String(), Codec: frame.Codec{}})
	if b := <-got; len(b) != 33 || b[0] != 64 || b[1] != 0 || end.Sent != 33 {
		t.Errorf("got %x, %+v, want 33 bytes of a frame of 66", b, end)
	}
}

func TestChatTargetFloodsAChat(t *testing.T) {
	r := startReference(t, frame.Codec{})
	r.chat = newWorld()
	ctx, cancel := context.WithCancel(t.Context())
	r.enough, r.over = 100, cancel
	r.serve()
	Flood(ctx, ChatTarget(r.addr(), frame.Codec{}, 5, 25, 25), 10000)
	r.stop()
	if r.chat.said < 90 {
		t.Errorf("the chat heard %d messages, want 98", r.chat.said)
	}
}
