package lanserver

import (
	"errors"
	"fmt"
	"time"
)

// Defaults and limits of ClientConfig.
const (
	DefaultBackoffMin  = 100 * time.Millisecond
	DefaultBackoffMax  = 5 * time.Second
	DefaultCallTimeout = 5 * time.Second
	DefaultCallLimit   = 4096

	maxCallLimit = 1 << 20
)

// ClientConfig is what a client is made of: the Config of a server, of which Addr is the address to connect to, a name or a
// number, and what only a client needs. It is a type of its own because a server has no use for back-off and calls, and
// because the fields of Config mean the same here: Codec, Device, limits, Observer. The zero value of a field means its
// default; Dial reports every bad field at once.
//
// Fields of Config that have other defaults here: Name "lan-client", IdleTimeout Unlimited, QueueLimit 4,096,
// FlightRecords 1,024. A client always has one worker. HandshakeTimeout bounds each attempt to connect.
type ClientConfig struct {
	Config

	// BackoffMin and BackoffMax bound the pause before the next attempt to connect: it doubles from one to the other, and
	// each is shortened by chance by up to a half, so that clients of a server that restarts do not come all at once. A
	// connection that lasted BackoffMax starts anew at BackoffMin. Defaults 100 ms and 5 s.
	BackoffMin, BackoffMax time.Duration
	// Seed makes the chance repeatable, for tests; default random.
	Seed uint64
	// Background lets Dial return at once and connects in the background; by default Dial makes the first connection itself
	// and fails when that fails.
	Background bool

	// CallTimeout bounds a Call whose context has no deadline; default 5 s.
	CallTimeout time.Duration
	// CallLimit is the most calls in flight, 1..2^20; more get ErrTooManyCalls. Default 4,096.
	CallLimit int

	// OnLost is told of each connection that took packets accepted for sending with it, or may have: Packets or Unknown of
	// what it is told is not 0. It runs after OnClientLeave, on the client's worker, and must not block. Default: nothing;
	// Stats counts in any case.
	OnLost func(Lost)
}

// Lost is what went with one connection. Accepted = Written + Packets, and Unknown is Written or 0.
type Lost struct {
	Session  ID
	Reason   Reason
	Accepted uint64 // packets accepted for sending, by the client and in callbacks
	Written  uint64 // of these, taken whole by the kernel
	Packets  uint64 // of these, never taken whole: the peer has not handled them
	// Unknown is Written after an end without order, that is for each abnormal Reason: a reset, an error, a fault of either
	// side. The kernel was to deliver these packets and gave up whatever was still on its way, so that only an answer tells
	// which of them were handled. It is 0 after PeerClosed and ServerStopping.
	Unknown uint64
	Calls   int // calls that waited for an answer, written or not; they got ErrConnectionLost
}

func (c ClientConfig) withDefaults() (ClientConfig, error) {
	c.Config = withDefaults(c.Config, "lan-client")
	c.Workers, c.MaxSessions = 1, clientSessions
	setDefault(&c.QueueLimit, 4096)
	setDefault(&c.FlightRecords, 1024)
	setDefault(&c.BackoffMin, DefaultBackoffMin)
	setDefault(&c.BackoffMax, max(DefaultBackoffMax, c.BackoffMin))
	setDefault(&c.CallTimeout, DefaultCallTimeout)
	setDefault(&c.CallLimit, DefaultCallLimit)
	if c.OnLost == nil {
		c.OnLost = func(Lost) {}
	}
	return c, errors.Join(checkCodec(c.Codec), c.validate(), c.Config.Validate())
}

// clientSessions is one connection, one that has ended and is not yet released, and room for attempts that were given up.
const clientSessions = 8

func (c *ClientConfig) validate() error {
	var problems []error
	if c.Addr == "" {
		problems = append(problems, errors.New("addr is empty, want host:port"))
	}
	if c.BackoffMin < time.Millisecond || c.BackoffMax < c.BackoffMin {
		problems = append(problems, fmt.Errorf("backoff %v..%v, want at least 1ms and the second not below the first",
			c.BackoffMin, c.BackoffMax))
	}
	if c.CallTimeout < time.Millisecond {
		problems = append(problems, fmt.Errorf("call timeout is %v, want at least 1ms", c.CallTimeout))
	}
	if c.CallLimit < 1 || c.CallLimit > maxCallLimit {
		problems = append(problems, fmt.Errorf("call limit is %d, want 1..%d", c.CallLimit, maxCallLimit))
	}
	return errors.Join(problems...)
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
