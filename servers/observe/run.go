package observe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"vitrine/core/engine"
	"vitrine/crash"
	"vitrine/logx"
)

// Main is a program around main: [Run] with ops HTTP on [DefaultOpsAddr], the system log in [DefaultLogDir] and bundles of crashes
// in [DefaultCrashDir]. It ends the process, with status 1 when Run failed, saying why on stderr. It is called first of all.
func Main(main func(ctx context.Context, st *Stack) error) {
	crash.ServeMonitor()
	cfg := Config{OpsAddr: DefaultOpsAddr, LogDir: DefaultLogDir, CrashDir: DefaultCrashDir}
	if err := Run(context.Background(), cfg, main); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// Run makes a Stack and runs main, whose context ends with the first SIGINT or SIGTERM. When main has returned, Run stops
// every server that was added, then the ops HTTP, and ends every goroutine of the stack. It returns what main returned,
// context.Canceled excepted where that was the order to end, and what could not be stopped. The Stack's Status may be read
// after Run. SIGINT and SIGTERM do nothing from the stop of the servers on for 5 s, so that what comes after Run is said.
//
// The log is open before main and closed after the last line, also when main fails or panics. Meanwhile its logger is that
// of slog and of package log; of several Runs in a process the last one has them. The crash capture begins before the log and
// ends after it, unless main panics: then the death that is coming leaves a bundle. A process has one capture at a time.
func Run(ctx context.Context, cfg Config, main func(ctx context.Context, st *Stack) error) (err error) {
	cfg, err = cfg.withDefaults()
	if err != nil {
		return fmt.Errorf("observe: %w", err)
	}
	boot := newBoot()
	c, err := startCapture(&cfg, boot)
	if err != nil {
		return fmt.Errorf("observe: %w", err)
	}
	j, err := openJournal(&cfg, boot, c)
	if err != nil {
		c.close()
		return fmt.Errorf("observe: %w", err)
	}
	st := newStack(cfg, boot, j, c)
	restore := takeDefault(j.log)
	how := endPanic
	defer func() {
		st.tellEnd(how, err)
		restore()
		c.speak(j.console)
		j.close()
		if how != endPanic {
			c.close()
		}
	}()
	st.tellStart()
	c.speak(j.log)
	err = st.run(ctx, main)
	how = st.how(ctx, err)
	return err
}

// run is Run between the first line of the log and the last.
func (st *Stack) run(ctx context.Context, main func(ctx context.Context, st *Stack) error) error {
	if err := st.listen(); err != nil {
		return fmt.Errorf("observe: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st.start(ctx, cancel)
	defer st.stop() // also when main panics
	err := main(ctx, st)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	st.draining.Store(true)
	return errors.Join(err, st.stopServers())
}

// start begins what runs beside main. stop ends all of it.
func (st *Stack) start(ctx context.Context, cancel context.CancelFunc) {
	st.running.Go(st.sample) // ends with st.done
	st.running.Go(st.reload) // ends with st.done
	st.serve()
	st.notify()
	st.running.Go(func() { st.obey(cancel) }) // ends with st.done
	context.AfterFunc(ctx, func() { st.draining.Store(true) })
}

// stop ends the ops HTTP and every goroutine of the stack.
func (st *Stack) stop() {
	st.denotify()
	st.closeOps()
	close(st.done)
	st.running.Wait()
	st.tellLastLimits()
	st.reportHeldBack()
}

// stopServers stops the servers, last added first, each with a fair share of the time that is left.
func (st *Stack) stopServers() error {
	var problems []error
	deadline := time.Now().Add(st.cfg.StopTimeout)
	servers := st.added()
	for i := len(servers) - 1; i >= 0; i-- {
		share := max(time.Until(deadline), 0) / time.Duration(i+1)
		if err := st.stopServer(servers[i], share); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

func (st *Stack) stopServer(s *server, share time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), share)
	defer cancel()
	begin := time.Now()
	err := s.engine.Stop(ctx)
	if errors.Is(err, engine.ErrNotStarted) {
		return nil
	}
	last := s.engine.Status()
	st.system(logx.LevelSystem, "server stopped", slog.String("server", s.name),
		slog.Int64("took_ms", time.Since(begin).Milliseconds()),
		slog.Uint64("sessions_closed", last.Total.Closed),
		slog.Uint64("packets_unsent", last.Total.UnsentPackets))
	return err
}
