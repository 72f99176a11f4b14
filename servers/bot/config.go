package bot

import (
	"errors"
	"fmt"
	"time"

	"vitrine/core/frame"
)

// Protocol is what the bots speak once they are connected.
type Protocol string

// The protocols.
const (
	Echo Protocol = "echo" // 8-byte counters, returned as they are
	Chat Protocol = "chat" // messages 1 to 7, sectors of a 50x50 map
)

// Limits of a Config.
const (
	MaxBots  = 1 << 20
	MaxDepth = 1 << 16
)

const (
	gatherBots = 1000 // chat bots from which on readers rest
	gatherChat = 250 * time.Millisecond
	promptOne  = 16 // of so many bots one never rests
)

// Config says who is called, by how many, how hard and for how long. The
// zero value of each field means its default.
type Config struct {
	Addr     string      // host:port of the server; required
	Protocol Protocol    // default Echo
	Codec    frame.Codec // default LAN; see ParseCodec
	Bots     int         // default 1, at most MaxBots

	// Depth is how many requests a bot may have unanswered; at the limit
	// it waits. Default 1 for echo and 8 for chat, at most MaxDepth.
	Depth int

	// Size in bytes: of an echo payload (default and least 8), or of a
	// chat text (default 64, least 48, even).
	Size int

	// Rate is requests per second and bot. 0: closed loop, the next ones
	// leave as soon as Think has passed since the replies came.
	Rate float64

	// Think is the pause of a closed loop. Default 50 ms; negative: none,
	// the bots take all the processor time they can get.
	Think time.Duration

	For    time.Duration // from Run on, ramp-up included; 0: until ctx ends
	RampUp time.Duration // default 1 ms a bot; negative: all at once

	// Churn is how often a bot leaves and comes back, per second. One
	// leave in four is a reset, the others are orderly. Default never.
	Churn float64

	// Gather is how long a reader rests between reads, so that one read
	// brings several packets: at thousands of bots the reads are most of
	// the cost. One bot in 16 never rests, and then only these measure
	// round trips. Default 250 ms for chat with 1,000 bots and more, else
	// none; negative: none.
	Gather time.Duration

	Greeting bool   // echo: the first packet must be the family's greeting
	Seed     uint64 // same seed, same choices of each bot

	Timeout time.Duration // until a reply is missing; default 5 s
	Drain   time.Duration // wait for the last replies; default Timeout

	// AccountBase is the account of the first chat bot, the others follow.
	// Default 1,000,000.
	AccountBase int64

	// Foreign says that others than these bots talk in the same chat:
	// their messages are counted as foreign, not as wrong.
	Foreign bool

	// Live is called about every second from the goroutine of Run, which
	// waits for it. nil: not called.
	Live func(Report)

	side      int // sectors a side of the map that the bots roam; 0: all
	moveOneIn int // packets of which one is a move; 0: 10, negative: none
}

func (c Config) withDefaults() Config {
	c.Protocol = either(c.Protocol, Echo)
	c.Bots = either(c.Bots, 1)
	depth, size := 1, counterLen
	if c.Protocol == Chat {
		depth, size = 8, 64
	}
	c.Depth = either(c.Depth, depth)
	c.Size = either(c.Size, size)
	c.Think = max(0, either(c.Think, 50*time.Millisecond))
	c.RampUp = max(0, either(c.RampUp, time.Duration(c.Bots)*time.Millisecond))
	if c.Gather == 0 && c.Protocol == Chat && c.Bots >= gatherBots {
		c.Gather = gatherChat
	}
	c.Gather = max(0, c.Gather)
	c.Timeout = either(c.Timeout, 5*time.Second)
	c.Drain = either(c.Drain, c.Timeout)
	c.side = either(c.side, mapSide)
	c.moveOneIn = either(c.moveOneIn, moveOneIn)
	c.AccountBase = either(c.AccountBase, 1_000_000)
	return c
}

func either[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// validate reports every bad field at once; defaults are filled in.
func (c Config) validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(c.Addr == "", "addr is empty")
	refuse(c.Protocol != Echo && c.Protocol != Chat, "protocol %q is not echo or chat", c.Protocol)
	refuse(c.Bots < 1 || c.Bots > MaxBots, "bots %d is not in 1..%d", c.Bots, MaxBots)
	refuse(c.Depth < 1 || c.Depth > MaxDepth, "depth %d is not in 1..%d", c.Depth, MaxDepth)
	refuse(!(c.Rate >= 0 && c.Rate <= 1e6), "rate %v is not in 0..1e6", c.Rate)
	refuse(!(c.Churn >= 0 && c.Churn <= 1e3), "churn %v is not in 0..1000", c.Churn)
	refuse(c.For < 0, "for %v is negative", c.For)
	refuse(c.Timeout < 0, "timeout %v is negative", c.Timeout)
	refuse(c.Gather >= c.Timeout, "gather %v is not below timeout %v", c.Gather, c.Timeout)
	refuse(c.Drain < 0, "drain %v is negative", c.Drain)
	least, most := counterLen, c.Codec.MaxPayload()
	if c.Protocol == Chat {
		least, most = textLeast, min(most-deliveryLen, textMost)
		refuse(c.Size%2 != 0, "size %d of a UTF-16 text is odd", c.Size)
	}
	refuse(c.Size < least || c.Size > most, "size %d is not in %d..%d", c.Size, least, most)
	return errors.Join(errs...)
}

// ParseCodec returns the codec with that name: lan, classic (B),
// classic-a, or sealed, which alone needs serverKey, the server's public
// key as frame's text form. The classic codecs use the family's bytes.
func ParseCodec(name, serverKey string) (frame.Codec, error) {
	switch name {
	case "", "lan":
		return frame.LAN(frame.LANConfig{})
	case "classic", "classic-b":
		return frame.ClassicB(frame.ClassicConfig{})
	case "classic-a":
		return frame.ClassicA(frame.ClassicConfig{})
	case "sealed":
		key, err := frame.ParseKey(serverKey)
		if err != nil {
			return frame.Codec{}, fmt.Errorf("server key: %w", err)
		}
		return frame.Sealed(frame.SealedConfig{PublicKey: key})
	}
	return frame.Codec{}, fmt.Errorf(
		"codec %q is not lan, classic, classic-a or sealed", name)
}
