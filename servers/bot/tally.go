package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"vitrine/core/stats"
)

// tally is what one bot counts. Its readers and writers are the bot's two
// goroutines, the monitor, and for chat the bots that hear it: all atomic.
type tally struct {
	connects, connectErrors, sessions atomic.Uint64
	sent, received                    atomic.Uint64
	wrong, missing, disconnects       atomic.Uint64
	lost, late                        atomic.Uint64
	required, optional, foreign       atomic.Uint64

	refused atomic.Bool // the last attempt to connect failed
}

const (
	rttShards   = 8  // histograms the bots share
	findingsMax = 16 // findings kept as text; further ones are only counted
)

// book is what all bots of a swarm write into.
type book struct {
	rtt [rttShards]rttShard

	mu       sync.Mutex
	reasons  map[string]uint64 // guarded by mu
	findings []string          // guarded by mu; at most findingsMax
	dialErr  error             // guarded by mu; the last one
}

type rttShard struct {
	mu   sync.Mutex
	hist *stats.Histogram // owned by the holder of mu
	_    [64]byte
}

func newBook() *book {
	b := &book{reasons: make(map[string]uint64)}
	for i := range b.rtt {
		b.rtt[i].hist = stats.NewHistogram()
	}
	return b
}

func (b *book) addRTT(bot uint32, ns int64) {
	s := &b.rtt[bot%rttShards]
	s.mu.Lock()
	s.hist.Add(uint64(max(0, ns)))
	s.mu.Unlock()
}

func (b *book) snapshotRTT() (all stats.Snapshot) {
	for i := range b.rtt {
		s := &b.rtt[i]
		s.mu.Lock()
		s.hist.Publish()
		s.mu.Unlock()
		all.Merge(s.hist.Snapshot())
	}
	return all
}

func (b *book) closed(reason string) {
	b.mu.Lock()
	b.reasons[reason]++
	b.mu.Unlock()
}

// find keeps what was found for whoever has to explain it. It formats
// under the lock and only the first findingsMax times.
func (b *book) find(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.findings) < findingsMax {
		b.findings = append(b.findings, fmt.Sprintf(format, args...))
	}
}

// failed keeps why an attempt to connect failed; that the run's end broke
// one off explains nothing.
func (b *book) failed(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dialErr == nil || !errors.Is(err, context.Canceled) {
		b.dialErr = err
	}
}

func (b *book) copy() (reasons map[string]uint64, findings []string, dialErr error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.reasons), append([]string(nil), b.findings...), b.dialErr
}
