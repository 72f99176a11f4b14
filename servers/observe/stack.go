package observe

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vitrine/core/engine"
	"vitrine/logx"
)

// Stack is one process's servers and what watches them. [Run] makes it and ends it; its methods may be called from any
// goroutine.
type Stack struct {
	cfg     Config       // fixed after newStack
	journal *journal     // fixed after newStack
	capture *capture     // fixed after newStack
	log     *slog.Logger // fixed after newStack: the journal's
	boot    uint64       // fixed after newStack
	started time.Time    // fixed after newStack
	build   Build        // fixed after newStack
	ops     ops          // fixed after listen

	draining  atomic.Bool
	drained   atomic.Bool    // the servers have stopped: what is left is to close
	signalled atomic.Bool    // a signal ordered the end
	signals   chan os.Signal // fixed after notify
	reloads   chan struct{}  // holds one request at most
	done      chan struct{}  // closed by stop: the goroutines end
	running   sync.WaitGroup // those goroutines

	mu       sync.Mutex
	servers  []*server                          // guarded by mu; only grows
	gauges   []gauge                            // guarded by mu; only grows
	limiters []*limiter                         // guarded by mu; only grows
	onReload []func() error                     // guarded by mu; only grows
	trips    map[string]func(seam string) error // guarded by mu: by server; see AddChaos
}

// server is one that was added.
type server struct {
	engine *engine.Server // fixed
	name   string         // fixed; unique in the stack
	window window         // guarded by Stack.mu
	told   hits           // owned by the sampler, and by stop after it
}

// gauge is a figure of a server's own.
type gauge struct {
	server, name, help string
	read               func() float64
}

// ops is the ops HTTP; without an address both are nil.
type ops struct {
	listener net.Listener
	server   *http.Server
}

func newStack(cfg Config, boot uint64, j *journal, c *capture) *Stack {
	st := &Stack{
		cfg: cfg, journal: j, capture: c, log: j.log, boot: boot, started: time.Now(), build: readBuild(),
		reloads: make(chan struct{}, 1), done: make(chan struct{}), trips: map[string]func(string) error{},
	}
	c.stack.Store(st)
	return st
}

// newBoot draws an id that tells this run of the process from all others; never 0.
func newBoot() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return max(binary.LittleEndian.Uint64(b[:]), 1)
}

// Add puts the server into /status, /metrics and /flight and has it stopped at the end of Run. Call it beside Start, for
// as many servers as the process has; a server cannot be taken out. A second one of the same name is shown as name-2.
func (st *Stack) Add(srv *engine.Server) {
	st.mu.Lock()
	s := &server{engine: srv, name: st.freeName(strings.ToValidUTF8(srv.Name(), "?"))}
	s.window.add(time.Now(), srv.Status())
	st.servers = append(st.servers, s)
	st.mu.Unlock()
	st.system(logx.LevelSystem, "server started", slog.String("server", s.name), slog.String("addr", srv.Addr()))
}

// freeName returns the name, or the first of name-2, name-3 ... that no server has. The caller holds mu.
func (st *Stack) freeName(name string) string {
	taken := func(n string) bool {
		return slices.ContainsFunc(st.servers, func(s *server) bool { return s.name == n })
	}
	for n, free := 2, name; ; n++ {
		if !taken(free) {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

// AddGauge shows a figure of a server's own: in /status among its gauges, in /metrics as vitrine_NAME with the label
// server. read runs when somebody asks, on any goroutine, and must neither block nor panic. The error says what is wrong
// with the name, which is of a-z, 0-9 and _ and no other metric's, or that the server has it already.
func (st *Stack) AddGauge(server, name, help string, read func() float64) error {
	if !gaugeName.MatchString(name) || isMetric(name) {
		return fmt.Errorf("add gauge %q: the name is not of a-z, 0-9 and _, or another metric's", name)
	}
	server = strings.ToValidUTF8(server, "?")
	if help == "" || read == nil {
		return fmt.Errorf("add gauge %q: no help or no function", name)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, g := range st.gauges {
		if g.name == name && g.server == server {
			return fmt.Errorf("add gauge %q: server %q has it", name, server)
		}
		if g.name == name {
			help = g.help // one metric has one help
		}
	}
	st.gauges = append(st.gauges, gauge{server, name, help, read})
	return nil
}

// OnReload has f run, in the order of the calls, whenever the process gets SIGHUP. Runs do not overlap; an error is logged.
func (st *Stack) OnReload(f func() error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.onReload = append(st.onReload, f)
}

// Boot returns the random id of this run of the process, for engine.Config.Boot; never 0.
func (st *Stack) Boot() uint64 { return st.boot }

// OpsAddr returns where the ops HTTP listens, with the real port; "" when there is none.
func (st *Stack) OpsAddr() string {
	if st.ops.listener == nil {
		return ""
	}
	return st.ops.listener.Addr().String()
}

// added returns the servers so far.
func (st *Stack) added() []*server {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.servers)
}
