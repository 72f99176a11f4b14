package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"vitrine/core/engine"
	"vitrine/servers/bot"
	"vitrine/servers/observe"
)

type upCommand struct {
	Bots int           `default:"0" placeholder:"N" help:"Bots that play and check, shared out over the servers; default none."`
	For  time.Duration `placeholder:"D" help:"Stop after so long, such as 30s or 5m; default on Ctrl-C."`
	JSON bool          `help:"End with one line of JSON on standard output; what people read goes to standard error."`
	Seed uint64        `default:"1" help:"Same seed, same choices of each bot."`
	configFlags
}

// stackRun is one run of the whole stack.
type stackRun struct {
	command *upCommand
	log     *logSettings
	first   uint64    // index of the first log record of this run
	watch   io.Writer // what people read
	servers []*running
	mu      sync.Mutex
	reports map[string]bot.Report // by server; guarded by mu
	failed  map[string]error      // bots that could not play, by server; guarded by mu
}

// Run starts the whole stack, lets the bots play and ends with a summary.
func (c *upCommand) Run(io *streams) error {
	if c.Bots < 0 || c.For < 0 {
		return usagef("--bots %d --for %v: want 0 or more", c.Bots, c.For)
	}
	began := time.Now()
	s, effective, err := c.load("", nil)
	if err != nil {
		return err
	}
	defer outlivePipes()()
	watch := &outlet{to: io.out}
	if c.JSON {
		watch.to = io.err
	}
	run := &stackRun{command: c, log: &s.Log, watch: watch, reports: map[string]bot.Report{}, failed: map[string]error{}}
	console := new(slog.LevelVar)
	err = observe.Run(context.Background(), s.observed(console, effective), func(ctx context.Context, st *observe.Stack) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		watch.deserted = cancel
		if err := run.start(s, st); err != nil {
			return err
		}
		reloadOnHangup(st, s, effective, console, run.servers...)
		run.announce(s, st, began) // last: who reads it may send SIGHUP
		run.play(ctx)
		return nil
	})
	if err != nil {
		return inUse(err)
	}
	if err := run.summarize(io.out); err != nil || !watch.isDeserted() {
		return err
	}
	return errDeserted
}

func (run *stackRun) start(s *settings, st *observe.Stack) error {
	for _, p := range s.plans() {
		r, err := p.start(st)
		if err != nil {
			return err
		}
		run.servers = append(run.servers, r)
	}
	run.first = st.Status().Log.First
	return nil
}

// announce says what runs where.
func (run *stackRun) announce(s *settings, st *observe.Stack, began time.Time) {
	fmt.Fprintf(run.watch, "Vitrine is up after %d ms:\n", time.Since(began).Milliseconds())
	for _, r := range run.servers {
		r.describe(run.watch)
	}
	describeOps(run.watch, st)
	run.log.describeJournal(run.watch, st)
	s.Crash.describe(run.watch)
}

func describeOps(w io.Writer, st *observe.Stack) {
	if addr := st.OpsAddr(); addr != "" {
		fmt.Fprintf(w, "  %-12s http://%s  /status /metrics /sessions /flight\n", "operations", addr)
	}
}

// play runs the bots of every server, with a status line, until they are done or ctx is.
func (run *stackRun) play(ctx context.Context) {
	if run.command.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, run.command.For+stackGrace)
		defer cancel()
	}
	line := startLine(run.watch, run.line)
	defer line.stop()
	bots := run.startBots(ctx)
	if run.command.Bots == 0 || run.command.For == 0 {
		<-run.finished(ctx)
	}
	bots()
}

// stackGrace is what bots are given to hear their last replies after their time is over.
const stackGrace = 10 * time.Second

// finished is closed when the run without bots is over.
func (run *stackRun) finished(ctx context.Context) <-chan struct{} {
	if run.command.For == 0 {
		return ctx.Done()
	}
	ctx, cancel := context.WithTimeout(ctx, run.command.For)
	context.AfterFunc(ctx, cancel)
	return ctx.Done()
}

// startBots shares the bots out over the servers and returns the function that waits for them.
func (run *stackRun) startBots(ctx context.Context) (wait func()) {
	var playing sync.WaitGroup
	for i, r := range run.servers {
		share := (run.command.Bots + len(run.servers) - 1 - i) / len(run.servers)
		if share == 0 {
			continue
		}
		playing.Go(func() {
			report, err := r.play(ctx, bot.Config{
				Bots: share, For: run.command.For, Seed: run.command.Seed,
				Live: func(live bot.Report) { run.report(r.name, live) },
			})
			if err != nil {
				run.fail(r.name, err)
			}
			run.report(r.name, report)
		})
	}
	return playing.Wait
}

// fail notes that the bots of a server could not play at all.
func (run *stackRun) fail(server string, err error) {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.failed[server] = err
}

func (run *stackRun) failure(server string) error {
	run.mu.Lock()
	defer run.mu.Unlock()
	return run.failed[server]
}

func (run *stackRun) report(server string, report bot.Report) {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.reports[server] = report
}

func (run *stackRun) seen(server string) bot.Report {
	run.mu.Lock()
	defer run.mu.Unlock()
	return run.reports[server]
}

// line is the live status line: what the servers count and what the bots found.
func (run *stackRun) line(before, now *totals) string {
	var fault uint64
	for _, r := range run.servers {
		st, seen := r.server.Status(), run.seen(r.name)
		now.sessions += uint64(st.Sessions)
		now.recv += st.Total.RecvPackets
		now.sent += st.Total.SentPackets
		now.handling.Merge(st.Duration)
		fault += seen.Faults()
	}
	lately := now.handling.Sub(before.handling)
	return fmt.Sprintf("%d sessions  %d packets/s in  %d out  handling p99 %v  %d faults",
		now.sessions, now.recv-before.recv, now.sent-before.sent, brief(time.Duration(lately.Quantile(0.99))), fault)
}

// outcome is the last line of `up --json`.
type outcome struct {
	OK           bool                     `json:"ok"`
	Servers      map[string]serverOutcome `json:"servers"`
	CloseReasons map[string]uint64        `json:"close_reasons"`
}

// serverOutcome is what became of one server: sessions as the server counted them, the rest as its bots saw it.
type serverOutcome struct {
	Addr              string  `json:"addr"`
	Bots              int     `json:"bots"`
	Unconnected       int     `json:"unconnected"`    // bots without a session
	ConnectErrors     uint64  `json:"connect_errors"` // attempts; those that a later one mended are no fault
	Sessions          uint64  `json:"sessions"`
	Sent              uint64  `json:"sent"`
	Received          uint64  `json:"received"`
	Wrong             uint64  `json:"wrong"`
	Missing           uint64  `json:"missing"`
	ServerDisconnects uint64  `json:"server_disconnects"`
	RTTp50            float64 `json:"rtt_p50_us"`
	RTTp99            float64 `json:"rtt_p99_us"`
	LastSession       string  `json:"last_session"` // id of the session that joined last, "" for none
}

// summarize prints what the run came to and answers errFault when something was wrong.
func (run *stackRun) summarize(out io.Writer) error {
	result := outcome{OK: true, Servers: map[string]serverOutcome{}, CloseReasons: map[string]uint64{}}
	var problems []string
	for _, r := range run.servers {
		st, seen := r.server.Status(), run.seen(r.name)
		result.Servers[r.name] = serverOutcome{
			Addr: r.server.Addr(), Bots: seen.Bots, Unconnected: seen.Unconnected, ConnectErrors: seen.ConnectErrors,
			Sessions: st.Total.Closed, Sent: seen.Sent, Received: seen.Received,
			Wrong: seen.Wrong, Missing: seen.Missing, ServerDisconnects: seen.ServerDisconnects,
			RTTp50: seen.RTTp50, RTTp99: seen.RTTp99, LastSession: r.lastSession(),
		}
		for reason, n := range st.Reasons {
			result.CloseReasons[reason] += n
		}
		if err := run.failure(r.name); err != nil {
			result.OK = false
			problems = append(problems, fmt.Sprintf("%s: %v", r.name, err))
		}
		if seen.Bots > 0 && !seen.OK() || leftOver(st) {
			result.OK = false
			problems = append(problems, append(seen.Findings, fmt.Sprintf("%s: %s", r.name, seen.String()))...)
		}
	}
	run.print(&result, problems)
	if run.command.JSON {
		if err := json.NewEncoder(out).Encode(result); err != nil {
			return fmt.Errorf("write the summary: %w", err)
		}
	}
	if !result.OK {
		return errFault
	}
	return nil
}

// leftOver reports whether a stopped server did not balance its books.
func leftOver(st engine.Status) bool {
	return st.Sessions != 0 || st.Total.Joins != st.Total.Leaves
}

func (run *stackRun) print(result *outcome, problems []string) {
	fmt.Fprintln(run.watch, "Summary, as the bots saw it; cut is what a server ended unasked:")
	const row = "  %-12s %6v %11v %8v %9v %9v %6v %7v %4v %8v %7v\n"
	fmt.Fprintf(run.watch, row, "server", "bots", "unconnected", "sessions", "sent", "received", "wrong", "missing", "cut", "rtt p50", "p99")
	for _, r := range run.servers {
		o := result.Servers[r.name]
		fmt.Fprintf(run.watch, row, r.name, o.Bots, o.Unconnected, o.Sessions, o.Sent, o.Received, o.Wrong, o.Missing, o.ServerDisconnects,
			brief(micros(o.RTTp50)), brief(micros(o.RTTp99)))
	}
	for _, reason := range slices.Sorted(maps.Keys(result.CloseReasons)) {
		fmt.Fprintf(run.watch, "  %d sessions ended with %s\n", result.CloseReasons[reason], reason)
	}
	for _, problem := range problems {
		fmt.Fprintln(run.watch, "  fault:", problem)
	}
	run.tellReader()
}

// tellReader says how to see what a session did, by the example of the last one of each server.
func (run *stackRun) tellReader() {
	told := false
	for _, r := range run.servers {
		id := r.lastSession()
		if id == "" || !run.log.readable() {
			continue
		}
		if !told {
			fmt.Fprintln(run.watch, "What the last session of each server did, by the log:")
		}
		told = true
		fmt.Fprintf(run.watch, "  %s\n", run.log.reader(run.sessionFlags(r.name, id)))
	}
}

// sessionFlags returns the flags of vitrine logs that find one session: its id is unique in its server and its run.
func (run *stackRun) sessionFlags(server, id string) string {
	flags := "--session " + id + " --grep server=" + server
	if run.first > 1 {
		flags += fmt.Sprintf(" --index %d..", run.first)
	}
	return flags
}
