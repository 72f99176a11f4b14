package bot

import (
	"context"
	"math/rand/v2"
	"time"

	"vitrine/core/frame"
)

// Target is what an attacker calls and what it says there.
type Target struct {
	Addr  string
	Codec frame.Codec
	Seed  uint64 // of random bytes

	// First are packets sent once the connection stands, in one write: a
	// login, say. NeverShake and Garbage do not get so far.
	First [][]byte

	// Payload is the valid packet an attacker repeats, cuts in half or
	// dribbles. Default 64 bytes. The caller must not change it meanwhile.
	Payload []byte

	// Pause between the bytes of Dribble; default 1 s.
	Pause time.Duration

	// Patience of NeverRead: it takes the connection for stalled when the
	// server took nothing for so long. Default 5 s.
	Patience time.Duration

	// Timeout of the connection and of the handshake; default 10 s.
	Timeout time.Duration
}

// Ending is how an attacker's connection ended.
type Ending struct {
	// Reason: peer_closed, truncated (the end of a sealed stream without
	// the server's goodbye), reset, read_error, or a codec's fault such as
	// bad_tag, when the server ended it; connect_error or handshake_failed
	// when it did not begin; context when ctx ended first; stalled.
	Reason string

	After time.Duration // since the connection stood
	Sent  int64         // bytes
	Err   error         // what the reason was made of
}

// The attackers each hold one connection until the server closes it or
// ctx ends, on the caller's goroutine and one of their own, which ends
// before they return. Any number may run at once.

// Garbage sends random bytes, of which the first are a frame or handshake
// that the codec must refuse.
func Garbage(ctx context.Context, t Target) Ending {
	return t.attack(ctx, manners{reads: true}, func(a *attacker) {
		rng := rand.New(rand.NewPCG(t.Seed, 1))
		buf := make([]byte, 1024)
		for first := true; ; first = false {
			for i := range buf {
				buf[i] = byte(rng.Uint32())
			}
			if first {
				a.spoil(buf)
			}
			if !a.write(buf) {
				return
			}
		}
	})
}

// HalfFrame sends the first half of a valid frame and then nothing.
func HalfFrame(ctx context.Context, t Target) Ending {
	return t.attack(ctx, manners{shakes: true, reads: true}, func(a *attacker) {
		whole := a.frame()
		a.write(whole[:len(whole)/2])
	})
}

// Dribble sends valid frames a byte at a time, with Pause between.
func Dribble(ctx context.Context, t Target) Ending {
	pause := either(t.Pause, time.Second)
	return t.attack(ctx, manners{shakes: true, reads: true}, func(a *attacker) {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			for _, b := range a.frame() {
				if !a.write([]byte{b}) || !a.await(tick.C) {
					return
				}
			}
		}
	})
}

// NeverRead sends valid packets as fast as the server takes them and
// reads nothing that comes back. Once its window is full it cannot be told
// that the server closed, so when the server has taken nothing for
// Patience it reads what is left, for 3 s: either that has an end, or the
// connection is stalled, which a server should not let happen for long.
func NeverRead(ctx context.Context, t Target) Ending {
	patience := either(t.Patience, 5*time.Second)
	return t.attack(ctx, manners{shakes: true}, func(a *attacker) {
		for {
			var batch []byte
			for range 16 {
				batch = append(batch, a.frame()...)
			}
			a.link.conn.SetWriteDeadline(time.Now().Add(patience))
			if ctx.Err() != nil || !a.write(batch) {
				return
			}
		}
	})
}

// NeverShake connects and is silent.
func NeverShake(ctx context.Context, t Target) Ending {
	return t.attack(ctx, manners{reads: true}, func(*attacker) {})
}

// Flood sends valid packets at a rate per second, up to 10 ms of them in
// one write, and reads what comes back.
func Flood(ctx context.Context, t Target, rate float64) Ending {
	return t.attack(ctx, manners{shakes: true, reads: true}, func(a *attacker) {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for sent := 0; a.await(tick.C); {
			var batch []byte
			due := int(time.Since(a.began).Seconds() * rate)
			for ; sent < due && len(batch) < writeLen; sent++ {
				batch = append(batch, a.frame()...)
			}
			if !a.write(batch) {
				return
			}
		}
	})
}

// ChatTarget is a target that logs in to a chat, moves to sector (x, y)
// and has a message to repeat.
func ChatTarget(addr string, codec frame.Codec, account int64, x, y uint16) Target {
	var n names
	putWide(n[:nameLen], "attacker")
	putWide(n[nameLen:], "attacker")
	text := make([]byte, textLeast)
	writeText(text, 0, 0, 0)
	return Target{
		Addr:  addr,
		Codec: codec,
		First: [][]byte{
			appendLogin(nil, account, &n, 0),
			appendMove(nil, account, sector(y%mapSide)*mapSide+sector(x%mapSide)),
		},
		Payload: appendMessage(nil, account, text),
	}
}
