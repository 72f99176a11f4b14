package observe

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"

	"vitrine/logx"
)

// How a process ended, as its last line says it.
const (
	endDone      = "done"      // main was through
	endSignal    = "signal"    // SIGINT or SIGTERM ordered it
	endCancelled = "cancelled" // the context of Run ended
	endFailed    = "failed"    // main failed, or something could not be started or stopped
	endPanic     = "panic"     // main panicked
)

// tellStart writes the first line: what runs here.
func (st *Stack) tellStart() {
	attrs := []slog.Attr{
		slog.String("version", st.build.Version), slog.Int("pid", os.Getpid()), slog.String("boot", bootText(st.boot)),
		slog.String("go", runtime.Version()), slog.Int("gomaxprocs", runtime.GOMAXPROCS(0)),
	}
	if st.build.Revision != "" {
		attrs = append(attrs, slog.String("revision", st.build.Revision), slog.Bool("modified", st.build.Modified))
	}
	st.system(logx.LevelSystem, "process started", attrs...)
}

// bootText writes a boot id as it stands in trace ids.
func bootText(boot uint64) string { return fmt.Sprintf("%016x", boot) }

// tellEnd writes the last line.
func (st *Stack) tellEnd(how string, err error) {
	attrs := []slog.Attr{slog.String("how", how), slog.Int64("uptime_ms", time.Since(st.started).Milliseconds())}
	if err != nil {
		attrs = append(attrs, failure(err))
	}
	st.system(logx.LevelSystem, "process stopped", attrs...)
}

// how says in a word how the run ended; ctx is that of Run, err what it returns.
func (st *Stack) how(ctx context.Context, err error) string {
	switch {
	case err != nil:
		return endFailed
	case st.signalled.Load():
		return endSignal
	case ctx.Err() != nil:
		return endCancelled
	}
	return endDone
}
