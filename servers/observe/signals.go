package observe

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// notify subscribes to the signals. The channel has room for the two that count and for reloads between them.
func (st *Stack) notify() {
	st.signals = st.cfg.signals
	if st.signals == nil {
		st.signals = make(chan os.Signal, 8)
		signal.Notify(st.signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	}
}

const (
	// sameRequest is how long after the first SIGINT or SIGTERM another is the same request: what ends a process may signal
	// it and then its group, or the user's terminal the group and make the process.
	sameRequest = 500 * time.Millisecond
	// lastWords is how long after the drain signals do nothing more: ops HTTP, log and capture are being closed, and the
	// program tells what it came to. What lasts longer is stuck, and a signal ends it.
	lastWords = 5 * time.Second
)

// denotify lets the signals have their own way again, which is to end the process, but not before it had its last words.
func (st *Stack) denotify() {
	st.drained.Store(true)
	if signals := st.signals; st.cfg.signals == nil {
		time.AfterFunc(lastWords, func() { signal.Stop(signals) })
	}
}

// obey does what signals ask for until the stack is done: the first SIGINT or SIGTERM cancels, one that is not the same
// request exits.
func (st *Stack) obey(cancel context.CancelFunc) {
	var told time.Time // when the first came; zero before
	for {
		select {
		case <-st.done:
			return
		case sig := <-st.signals:
			switch {
			case sig == syscall.SIGHUP:
				st.askReload()
			case told.IsZero():
				told = st.cfg.now()
				st.drain(sig, cancel)
			case st.cfg.now().Sub(told) >= sameRequest && !st.drained.Load():
				st.system(slog.LevelWarn, "second signal, ending at once", slog.String("signal", sig.String()))
				st.capture.leave()
				st.cfg.exit(exitCode(sig))
				return
			}
		}
	}
}

func (st *Stack) drain(sig os.Signal, cancel context.CancelFunc) {
	st.signalled.Store(true)
	st.system(slog.LevelInfo, "signal, draining", slog.String("signal", sig.String()))
	st.draining.Store(true)
	cancel()
}

// exitCode is what a shell would report of a process that the signal ended.
func exitCode(sig os.Signal) int {
	if number, ok := sig.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return 1
}

// askReload makes reload run once more. One request waits at most: it will see what the later ones would.
func (st *Stack) askReload() {
	select {
	case st.reloads <- struct{}{}:
	default:
	}
}

// reload runs the reload functions beside the signals, so that a slow one does not hold up the end.
func (st *Stack) reload() {
	for {
		select {
		case <-st.done:
			return
		case <-st.reloads:
			st.reloadAll()
		}
	}
}

func (st *Stack) reloadAll() {
	st.mu.Lock()
	functions := st.onReload
	st.mu.Unlock()
	failed := 0
	for _, reload := range functions {
		if err := reload(); err != nil {
			failed++
			st.system(slog.LevelError, "reload failed", failure(err))
		}
	}
	st.system(slog.LevelInfo, "reloaded", slog.Int("functions", len(functions)), slog.Int("failed", failed))
}
