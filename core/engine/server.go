package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"vitrine/core/flight"
	"vitrine/core/packet"
	"vitrine/core/pool"
	"vitrine/core/session"
)

// Server runs workers that carry bytes from sockets to a Handler and back. All its methods may be called from any
// goroutine.
type Server struct {
	cfg    Config                 // fixed after New; its limits are read from limits
	calls  callbacks              // fixed after New
	limits atomic.Pointer[limits] // those in force; see SetLimits

	table        *session.Table[Session]
	packets      *packet.Pool
	output       *pool.Pool // slots of outputSlotBytes
	partialSmall *pool.Pool
	partialLarge *pool.Pool
	kept         *flight.Store // last records of sessions that ended abnormally
	perIP        perIP
	workers      []*worker // written under mu by Start, fixed after it; who may run before that uses started
	secrets      Secrets   // written under mu by Start, fixed after it; nil = nobody is told of keys
	workerIDs    uint16    // added to a worker's index in records

	reasons      [][reasonCount]atomic.Uint64 // by worker, which alone adds; fixed after New
	refusals     [refusalCount]atomic.Uint64
	fullQueues   atomic.Uint64
	refusedSends atomic.Uint64
	panics       atomic.Uint64 // caught on goroutines that are no workers'
	stopping     atomic.Bool
	feeding      atomic.Int32 // who may put commands into a queue without holding a session: the listener, each Broadcast

	mu      sync.Mutex
	state   serverState  // guarded by mu
	addr    string       // guarded by mu; "" before Start
	dials   map[ID]*dial // guarded by mu
	clients bool         // fixed after New: no listener
}

type serverState uint8

const (
	stateNew serverState = iota
	stateRunning
	stateStopped
)

// New checks the configuration and the handler and returns a server that is not yet started. The error names every bad
// field.
func New(cfg Config, h Handler) (*Server, error) {
	if cfg.Addr == "" {
		return nil, errors.New("new server: addr is empty, want host:port")
	}
	return newServer(cfg, h)
}

func newServer(cfg Config, h Handler) (*Server, error) {
	cfg, problem := cfg.withDefaults()
	calls, badHandler := findCallbacks(h)
	if err := errors.Join(problem, badHandler); err != nil {
		return nil, fmt.Errorf("new server: %w", err)
	}
	srv := &Server{
		cfg: cfg, calls: calls, dials: map[ID]*dial{}, clients: cfg.Addr == "", reasons: make([][reasonCount]atomic.Uint64, cfg.Workers),
	}
	srv.perIP.count = map[netip.Addr]int{}
	srv.limits.Store(newLimits(cfg))
	if err := srv.makePools(); err != nil {
		return nil, fmt.Errorf("new server: %w", err)
	}
	return srv, nil
}

const (
	smallPartialBytes = 512
	keptSessions      = 1024 // closed sessions whose last records are kept
	keptPerSecond     = 100
)

func (srv *Server) makePools() error {
	cfg := &srv.cfg
	var problems [6]error
	srv.table, problems[0] = session.NewTable[Session](cfg.MaxSessions)
	srv.packets, problems[1] = packet.NewPool(packet.Config{MaxSize: cfg.Codec.MaxPayload(), Capacity: cfg.PacketLimit})
	srv.output, problems[2] = pool.New(pool.Config{
		Name: "output", SlotSize: outputSlotBytes, Capacity: min(max(cfg.OutputLimitBytes/outputSlotBytes, 64), 1<<24-64),
	})
	frameBytes := max(cfg.Codec.MaxFrame(), smallPartialBytes)
	slots := slotCapacity(cfg.MaxSessions) + cacheSlack*cfg.Workers
	srv.partialSmall, problems[3] = pool.New(pool.Config{Name: "partial", SlotSize: smallPartialBytes, Capacity: slots})
	srv.partialLarge, problems[4] = pool.New(pool.Config{Name: "partial large", SlotSize: frameBytes, Capacity: slots})
	srv.kept, problems[5] = flight.NewStore(flight.StoreConfig{Sessions: keptSessions, PerSecond: keptPerSecond})
	return errors.Join(problems[:]...)
}

// cacheSlack is how many slots a worker's cache may hold back from the others.
const cacheSlack = 128

// slotCapacity rounds a number of sessions up to whole chunks of the session table.
func slotCapacity(sessions int) int { return (sessions + 63) &^ 63 }

// Start listens and starts the workers. The server accepts connections when it returns.
func (srv *Server) Start() error {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	switch srv.state {
	case stateRunning:
		return fmt.Errorf("start %s: %w", srv.cfg.Name, ErrStarted)
	case stateStopped:
		return fmt.Errorf("start %s: %w", srv.cfg.Name, ErrServerClosed)
	}
	if err := srv.prepare(); err != nil {
		return fmt.Errorf("start %s: %w", srv.cfg.Name, err)
	}
	srv.state = stateRunning
	srv.tellSecrets()
	for _, w := range srv.workers {
		go w.run() // ends when Stop has drained it
	}
	return nil
}

// prepare makes the workers and the listener; on error nothing of it is left.
func (srv *Server) prepare() (err error) {
	for i := range srv.cfg.Workers {
		w, err := newWorker(srv, i)
		if err != nil {
			srv.abandon()
			return err
		}
		w.accept.fd = -1
		srv.workers = append(srv.workers, w)
	}
	if srv.clients {
		return nil
	}
	if err := srv.workers[0].listen(); err != nil {
		srv.abandon()
		return err
	}
	return nil
}

func (srv *Server) abandon() {
	for _, w := range srv.workers {
		w.finish()
	}
	srv.workers = nil
}

// Addr returns the address the server listens on, with the real port; "" before Start.
func (srv *Server) Addr() string {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.addr
}

// Name returns the name of the server's configuration.
func (srv *Server) Name() string { return srv.cfg.Name }

// Run starts the server, waits until ctx is done and stops it, with stopTimeout for the drain.
func (srv *Server) Run(ctx context.Context) error {
	if err := srv.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return srv.Stop(stop)
}

// stopTimeout is how long Run gives the drain.
const stopTimeout = 10 * time.Second

// Stop stops accepting, writes what waits until ctx's deadline (stopTimeout without one), closes every session with
// server_stopping, and returns when the last OnClientLeave has run. It fails only when a callback does not return in time.
func (srv *Server) Stop(ctx context.Context) error {
	srv.mu.Lock()
	if srv.state == stateNew {
		srv.mu.Unlock()
		return fmt.Errorf("stop %s: %w", srv.cfg.Name, ErrNotStarted)
	}
	srv.state = stateStopped
	srv.mu.Unlock()
	deadline, ok := ctx.Deadline()
	left := stopTimeout
	if ok {
		left = max(time.Until(deadline)-stopReserve, 0)
	}
	srv.stopping.Store(true)
	for _, w := range srv.workers {
		w.stop(left)
	}
	for _, w := range srv.workers {
		select {
		case <-w.done:
		case <-ctx.Done():
			return fmt.Errorf("stop %s: worker %d has not ended: %w", srv.cfg.Name, w.index, ctx.Err())
		}
	}
	return nil
}

// stopReserve is the part of Stop's time that is kept for closing what did not drain.
const stopReserve = 50 * time.Millisecond

// leastLoaded returns the worker with the fewest sessions.
func (srv *Server) leastLoaded() *worker {
	least := srv.workers[0]
	for _, w := range srv.workers[1:] {
		if w.load.Load() < least.load.Load() {
			least = w
		}
	}
	return least
}

// forget undoes what admission counted for the session.
func (srv *Server) forget(s *Session) {
	if !s.has(flagOutgoing) {
		srv.perIP.leave(s.RemoteAddr().Addr())
	}
}
