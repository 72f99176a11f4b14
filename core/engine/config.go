package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"vitrine/core/frame"
	"vitrine/core/poller"
	"vitrine/core/session"
)

// SendPolicy says what happens to a packet that would take a session's send queue over its limit.
type SendPolicy uint8

const (
	// CloseWhenFull closes the session with send_queue_full.
	CloseWhenFull SendPolicy = iota
	// DropDroppable drops packets that are marked droppable and closes the session for any other.
	DropDroppable
)

// Unlimited turns a limit off where zero means the default. A configuration file says "unlimited": the Unlimited of
// core/config has this value.
const Unlimited = -1

// Config is everything a server is made of. The zero value of a field means its default; New reports every bad field at
// once, each as a *FieldError. The fields that are also in Limits can change while the server runs.
type Config struct {
	// Name tells servers of one process apart in figures and records; default "server".
	Name string
	// Addr is the host:port to listen on. Port 0 takes any free one.
	Addr string
	// Device binds the listener to one network card by name, such as "eth1"; default none.
	Device string
	// AllowFrom, when not empty, refuses connections from all other addresses with refused_address.
	AllowFrom []netip.Prefix
	// Workers is the number of event loops, 1..1024; default GOMAXPROCS.
	Workers int
	// MaxSessions is the most sessions at once, 1..2^24-64; default 10,000. More are refused with refused_full.
	MaxSessions int
	// Nagle leaves Nagle's algorithm on; default off (TCP_NODELAY).
	Nagle bool
	// Codec cuts and seals frames; the zero Codec is LAN.
	Codec frame.Codec
	// Observer is told what happens at the seams.
	Observer Observer

	// IdleTimeout closes a session that has sent no complete frame for so long; default 60 s, Unlimited for none.
	IdleTimeout time.Duration
	// FrameTimeout closes a session whose partial frame is not completed for so long; default 10 s, Unlimited for none.
	FrameTimeout time.Duration
	// HandshakeTimeout closes a session that has not finished its handshake; default 5 s, Unlimited for none.
	HandshakeTimeout time.Duration

	// SendLimitBytes and SendLimitPackets bound what waits to be sent on one session; defaults 1 MiB and 4,096.
	SendLimitBytes, SendLimitPackets int
	// SendPolicy says what happens at the bound; default CloseWhenFull.
	SendPolicy SendPolicy
	// OutputLimitBytes bounds what waits to be sent on all sessions together; default 256 MiB. At the bound a session
	// that needs more is closed with send_queue_full.
	OutputLimitBytes int

	// RecvBudgetBytes is the most that one session's turn reads before its neighbours have theirs; default 64 KiB.
	RecvBudgetBytes int
	// PacketRate is the most packets a second a session may send, with bursts of PacketBurst; default none. A session
	// above it is closed with rate_limited.
	PacketRate, PacketBurst int
	// AcceptRate is the most connections accepted a second, with bursts of as many; default none. More are refused with
	// refused_rate.
	AcceptRate int
	// SessionsPerIP is the most sessions from one address; default none. More are refused with refused_rate. Loopback is
	// exempt unless LimitLoopback is set.
	SessionsPerIP int
	// LimitLoopback lets SessionsPerIP and AcceptRate count connections from loopback too.
	LimitLoopback bool

	// QueueLimit is the most commands (packets, posted functions) that wait for one worker, a power of two; default
	// 16,384. Sends and posts beyond it get ErrQueueFull.
	QueueLimit int
	// PacketLimit is the most packets of this server alive at once; default 65,536.
	PacketLimit int

	// FlightRecords is the number of packet records kept per worker, a power of two; default 4,096.
	FlightRecords int
	// FlightDir keeps the records in MAP_SHARED files in this directory, which survive the process; default in memory.
	FlightDir string
	// Boot is the process's boot id, kept in the header of those files and the first half of its trace ids.
	Boot uint64

	// Network is the system's sockets unless a test sets a simulated one.
	Network poller.Network
}

const (
	maxWorkers       = 1024
	stopLinger       = time.Second // how long a drained session waits for its peer to close
	acceptPause      = 100 * time.Millisecond
	minRecvBudget    = 1
	defaultAcceptMax = 64 // connections accepted a turn
)

// withDefaults returns the configuration with every zero replaced, or every problem at once.
func (c Config) withDefaults() (Config, error) {
	setDefault(&c.Name, "server")
	setDefault(&c.Workers, min(runtime.GOMAXPROCS(0), maxWorkers))
	setDefault(&c.MaxSessions, 10_000)
	setDefault(&c.IdleTimeout, 60*time.Second)
	setDefault(&c.FrameTimeout, 10*time.Second)
	setDefault(&c.HandshakeTimeout, 5*time.Second)
	setDefault(&c.SendLimitBytes, 1<<20)
	setDefault(&c.SendLimitPackets, 4096)
	setDefault(&c.OutputLimitBytes, 256<<20)
	setDefault(&c.RecvBudgetBytes, 64<<10)
	setDefault(&c.PacketBurst, max(c.PacketRate, 0))
	setDefault(&c.QueueLimit, 16<<10)
	setDefault(&c.PacketLimit, 64<<10)
	setDefault(&c.FlightRecords, 4096)
	if c.Network == nil {
		c.Network = poller.System()
	}
	c.Observer = c.Observer.withDefaults()
	return c, c.validate()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c *Config) validate() error {
	var found fieldErrors
	found.within("workers", c.Workers, 1, maxWorkers)
	found.within("max sessions", c.MaxSessions, 1, session.MaxSessions)
	if found.within("send limit bytes", c.SendLimitBytes, c.Codec.MaxPayload()+c.Codec.Overhead(), 1<<30, "codec") {
		found.within("output limit bytes", c.OutputLimitBytes, c.SendLimitBytes, 1<<36, "send limit bytes")
	}
	found.within("send limit packets", c.SendLimitPackets, 1, 1<<24)
	found.within("receive budget bytes", c.RecvBudgetBytes, minRecvBudget, 1<<30)
	found.within("packet limit", c.PacketLimit, 64, 1<<24-64)
	found.powerOfTwo("queue limit", c.QueueLimit, 2, 1<<24)
	found.powerOfTwo("flight records", c.FlightRecords, 64, 1<<16)
	found.rate("packet rate", c.PacketRate)
	if c.PacketRate > 0 {
		found.within("packet burst", c.PacketBurst, 1, 1<<30, "packet rate") // less would admit no packet at all
	}
	found.rate("accept rate", c.AcceptRate)
	found.rate("sessions per ip", c.SessionsPerIP)
	found.timeout("idle timeout", c.IdleTimeout)
	found.timeout("frame timeout", c.FrameTimeout)
	found.timeout("handshake timeout", c.HandshakeTimeout)
	if c.SendPolicy > DropDroppable {
		found.add("send policy", nil, "is %d, want CloseWhenFull or DropDroppable", c.SendPolicy)
	}
	return errors.Join(found...)
}

// fieldErrors are the bad fields of one configuration. A field is in it once, and not because of another that is.
type fieldErrors []error

func (found *fieldErrors) add(field string, uses []string, format string, args ...any) {
	*found = append(*found, &FieldError{Field: field, Problem: fmt.Sprintf(format, args...), Uses: uses})
}

// within returns whether the value is in order; uses are the fields that its bounds follow from.
func (found *fieldErrors) within(field string, value, low, high int, uses ...string) bool {
	good := low <= value && value <= high
	if !good {
		found.add(field, uses, "is %d, want %d..%d", value, low, high)
	}
	return good
}

func (found *fieldErrors) powerOfTwo(field string, value, low, high int) {
	if value < low || value > high || value&(value-1) != 0 {
		found.add(field, nil, "is %d, want a power of two, %d..%d", value, low, high)
	}
}

func (found *fieldErrors) rate(field string, value int) {
	if value < Unlimited {
		found.add(field, nil, "is %d, want a positive number, 0 or %d", value, Unlimited)
	}
}

// timeout speaks to who wrote a configuration file too: there the word for Unlimited is "unlimited".
func (found *fieldErrors) timeout(field string, value time.Duration) {
	if value < time.Millisecond && value != Unlimited {
		found.add(field, nil, "is %v, want at least 1ms, or unlimited", value)
	}
}

// Validate returns every bad field at once, defaults filled in, without making anything.
func (c Config) Validate() error {
	_, err := c.withDefaults()
	return err
}
