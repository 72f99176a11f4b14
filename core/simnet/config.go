package simnet

import (
	"fmt"
	"time"

	"vitrine/core/poller"
)

// Defaults of Config.
const (
	DefaultWindow      = 64 << 10
	DefaultDescriptors = 1 << 16
)

// Config says how bad the network is. The zero value is a perfect one with
// seed 0. Every probability is in [0, 1); 0 never happens and draws nothing
// from the seed.
type Config struct {
	// Seed decides every choice. The same seed, Config and calls give the
	// same run.
	Seed uint64

	// MinDelay and MaxDelay bound what a segment, an end of stream, a reset,
	// a connection request or freed room takes to arrive. Default: 0, at
	// once. MaxDelay is raised to MinDelay.
	MinDelay, MaxDelay time.Duration
	// Segment is the most bytes that arrive together: a write is cut into
	// random pieces of 1 to Segment bytes, each with its own delay. Default:
	// 0, a write arrives whole.
	Segment int
	// Window is the most bytes of one direction that are written and not yet
	// read. A Write beyond it is cut short, then EAGAIN. Default:
	// DefaultWindow.
	Window int
	// MaxRead is the most bytes one Read takes; 1 gives the stream byte by
	// byte. Default: 0, no limit.
	MaxRead int
	// Descriptors is how many sockets may be open; Listen, Connect and Accept
	// beyond it are EMFILE. Default: DefaultDescriptors.
	Descriptors int

	// ShortRead is the probability that a Read takes fewer bytes than it
	// could, any number from 1.
	ShortRead float64
	// ShortWrite is the probability that a Write takes fewer bytes than it
	// could, any number from 1, as if the window were full.
	ShortWrite float64
	// Interrupt is the probability of EINTR, for each Read, Write, Writev and
	// Accept.
	Interrupt float64
	// Again is the probability of EAGAIN although there is something to read,
	// room to write, or a connection to accept. Another edge follows.
	Again float64
	// NoDescriptor is the probability that Accept says EMFILE although there
	// are descriptors left. The connection stays queued.
	NoDescriptor float64
	// Abort is the probability that Accept says ECONNABORTED: that connection
	// is lost.
	Abort float64
	// Reset is the probability that a segment does not arrive and the
	// connection is reset for both sides instead.
	Reset float64
}

// withDefaults fills in zeros and panics on what makes no sense: a test's
// mistake.
func (c Config) withDefaults() Config {
	if c.Window == 0 {
		c.Window = DefaultWindow
	}
	if c.Descriptors == 0 {
		c.Descriptors = DefaultDescriptors
	}
	c.MaxDelay = max(c.MaxDelay, c.MinDelay)
	for _, limit := range []int{c.Segment, c.Window, c.MaxRead, c.Descriptors, int(c.MinDelay)} {
		if limit < 0 {
			panic(fmt.Sprintf("simnet: negative limit in Config: %d", limit))
		}
	}
	for _, p := range []float64{c.ShortRead, c.ShortWrite, c.Interrupt, c.Again, c.NoDescriptor, c.Abort, c.Reset} {
		if !(p >= 0 && p < 1) {
			panic(fmt.Sprintf("simnet: probability outside [0, 1) in Config: %v", p))
		}
	}
	return c
}

// Stats counts what was called and what was made to go wrong, so that a test
// can tell that a fault it asked for did happen.
type Stats struct {
	Open int // sockets open now, listeners included

	Waits, Accepts, Reads, Writes, Closes int // calls; Writev counts as a write
	Wakes                                 int // Wakes a Wait consumed
	BadDescriptors                        int // calls on a descriptor that was not open: a bug in the caller

	ShortReads, ShortWrites, Full int // Full: Writes cut short or refused by the window
	Interrupts, Agains            int // spurious ones only
	NoDescriptors, Aborts, Resets int // Resets: by chance only
	Refused, Dropped              int // connections refused; requests that found the accept queue full
	Segments, Events, Bytes, Lost int // delivered; Wait's reports; delivered bytes, bytes that came to a closed or broken end
}

// backlog is how many connections may wait for Accept.
func backlog(c poller.ListenConfig) int {
	if c.Backlog > 0 {
		return c.Backlog
	}
	return poller.DefaultBacklog
}
