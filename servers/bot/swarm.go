package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	sweepEvery = 100 * time.Millisecond // look for what is missing
	liveEvery  = time.Second            // report
	drainPoll  = 20 * time.Millisecond
	quietPolls = 3 // polls without a packet that end a drain
	closeLimit = 3 * time.Second
)

// Swarm is a number of bots against one server. It is used once.
type Swarm struct {
	cfg   Config // fixed after New, defaults filled in
	bots  []*bot // fixed after New
	board *board // chat: who is where
	book  *book

	zero     time.Time     // of the clock; fixed after New
	began    atomic.Int64  // when Run did, on that clock; 0: not yet
	draining chan struct{} // closed: no new requests or connections
	closing  chan struct{} // closed: the bots leave
	over     atomic.Bool   // Config.For has passed
	ended    atomic.Bool   // Run is about to return
	once     sync.Once     // Run
}

// New returns a swarm that is at rest. The error names every bad field.
func New(cfg Config) (*Swarm, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("bot config: %w", err)
	}
	s := &Swarm{
		cfg:      cfg,
		bots:     make([]*bot, cfg.Bots),
		book:     newBook(),
		zero:     time.Now(),
		draining: make(chan struct{}),
		closing:  make(chan struct{}),
	}
	if cfg.Protocol == Chat {
		s.board = newBoard()
	}
	for i := range s.bots {
		s.bots[i] = newBot(s, uint32(i))
	}
	return s, nil
}

// Run is New and Swarm.Run.
func Run(ctx context.Context, cfg Config) (Report, error) {
	s, err := New(cfg)
	if err != nil {
		return Report{}, err
	}
	return s.Run(ctx)
}

// Run plays until Config.For has passed or ctx ends, waits at most
// Config.Drain for the last replies, closes all connections and returns
// the final report. When it returns, nothing of the swarm runs any more.
// What the server did wrong is in the report; the error says that the run
// was none: no session was ever opened, or Run was called before.
func (s *Swarm) Run(ctx context.Context) (Report, error) {
	err := fmt.Errorf("swarm of %s ran before", s.cfg.Addr)
	s.once.Do(func() { err = s.run(ctx) })
	return s.Report(), err
}

func (s *Swarm) run(ctx context.Context) error {
	var bots sync.WaitGroup
	dialing, stopDialing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDialing()
	s.began.Store(s.now())
	step := s.cfg.RampUp / time.Duration(len(s.bots))
	for i, b := range s.bots {
		bots.Go(func() { b.run(dialing, step*time.Duration(i)) })
	}
	s.monitor(ctx)
	close(s.draining)
	for _, b := range s.bots {
		b.wake()
	}
	s.drain()
	stopDialing()
	for _, b := range s.bots {
		b.play.settle(s.now())
	}
	close(s.closing)
	s.wait(&bots)
	s.ended.Store(true)
	return s.verdict()
}

// monitor sweeps and reports until the run is over.
func (s *Swarm) monitor(ctx context.Context) {
	sweep, live := time.NewTicker(sweepEvery), time.NewTicker(liveEvery)
	defer sweep.Stop()
	defer live.Stop()
	var over <-chan time.Time
	if s.cfg.For > 0 {
		over = time.After(s.cfg.For)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-over:
			s.over.Store(true)
			return
		case <-sweep.C:
			s.sweep()
		case <-live.C:
			if s.cfg.Live != nil {
				s.cfg.Live(s.Report())
			}
		}
	}
}

func (s *Swarm) sweep() {
	now := s.now()
	for _, b := range s.bots {
		if stuck := b.play.sweep(now); stuck != "" {
			b.giveUp(stuck)
		}
	}
}

// drain waits until every reply has come and then for a quiet moment, in
// which a reply too many would still be seen.
func (s *Swarm) drain() {
	limit := s.now() + int64(s.cfg.Drain)
	poll := time.NewTicker(drainPoll)
	defer poll.Stop()
	quiet, before := 0, s.received()
	for quiet < quietPolls && s.now() < limit {
		<-poll.C
		s.sweep()
		received := s.received()
		if received != before || s.pending() > 0 {
			quiet = 0
		} else {
			quiet++
		}
		before = received
	}
}

func (s *Swarm) pending() (n int) {
	for _, b := range s.bots {
		n += b.play.pending()
	}
	return n
}

func (s *Swarm) received() (n uint64) {
	for _, b := range s.bots {
		n += b.tally.received.Load()
	}
	return n
}

// wait ends connections whose bots cannot say goodbye within closeLimit.
func (s *Swarm) wait(bots *sync.WaitGroup) {
	late := time.AfterFunc(closeLimit, func() {
		for _, b := range s.bots {
			b.abort()
		}
	})
	defer late.Stop()
	bots.Wait()
}

func (s *Swarm) verdict() error {
	if r := s.Report(); r.Sessions > 0 {
		return nil
	}
	_, _, err := s.book.copy()
	return fmt.Errorf("no session with %s was opened: %w", s.cfg.Addr, err)
}

// Report returns the figures of this moment. Any goroutine, before,
// during and after Run.
func (s *Swarm) Report() Report {
	r := Report{
		Addr:     s.cfg.Addr,
		Protocol: s.cfg.Protocol,
		Codec:    s.cfg.Codec.Kind().String(),
		Bots:     len(s.bots),
	}
	if began := s.began.Load(); began > 0 {
		r.Seconds = time.Duration(s.now() - began).Seconds()
	}
	for _, b := range s.bots {
		r.add(b, s.over.Load())
	}
	rtt := s.book.snapshotRTT()
	us := func(q float64) float64 { return float64(rtt.Quantile(q)) / 1e3 }
	r.RTTp50, r.RTTp99, r.RTTp999 = us(0.50), us(0.99), us(0.999)
	r.RTTMax = float64(rtt.Max) / 1e3
	var dialErr error
	r.CloseReasons, r.Findings, dialErr = s.book.copy()
	if r.Unconnected > 0 && s.ended.Load() {
		r.Findings = slices.Insert(r.Findings, 0, s.absence(r, dialErr))
	}
	return r
}

// absence says of the bots that are unconnected what is known of them.
func (s *Swarm) absence(r Report, dialErr error) string {
	never := 0
	for _, b := range s.bots {
		if b.tally.sessions.Load() == 0 {
			never++
		}
	}
	if dialErr == nil {
		dialErr = errors.New("no attempt failed, none had been answered yet")
	}
	return fmt.Sprintf("%d of %d bots unconnected at the end, %d never had a session; %d connect errors, the last: %v",
		r.Unconnected, r.Bots, never, r.ConnectErrors, dialErr)
}

func (r *Report) add(b *bot, over bool) {
	if b.unconnected(over) {
		r.Unconnected++
	}
	r.Online += int(b.life.Load() & 1)
	t := &b.tally
	r.Connects += t.connects.Load()
	r.ConnectErrors += t.connectErrors.Load()
	r.Sessions += t.sessions.Load()
	r.Sent += t.sent.Load()
	r.Received += t.received.Load()
	r.Wrong += t.wrong.Load()
	r.Missing += t.missing.Load()
	r.ServerDisconnects += t.disconnects.Load()
	r.Lost += t.lost.Load()
	r.Late += t.late.Load()
	r.Required += t.required.Load()
	r.Optional += t.optional.Load()
	r.Foreign += t.foreign.Load()
}

// now is the swarm's clock: nanoseconds since New.
func (s *Swarm) now() int64 { return int64(time.Since(s.zero)) }

func (s *Swarm) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}
