package observe

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// linesPerSecond is how many lines of one type and message of one server reach the log each second.
const linesPerSecond = 10

// limiter keeps the lines of one type and message of one server below linesPerSecond, where a peer could cause one with every
// packet or connection, so that a flood of bad clients does not flood the log. The sampler opens it anew each second; asking costs one atomic addition and reads no clock.
type limiter struct {
	server, typ, message string        // fixed
	level                slog.Level    // fixed
	asked                atomic.Uint64 // since it was opened
	held                 atomic.Uint64 // in all, as last reported
}

// allow reports whether one more line may be written; what may not is counted. Any goroutine.
func (l *limiter) allow() bool { return l.asked.Add(1) <= linesPerSecond }

// reopen begins the next second and returns how many lines the last one held back. One goroutine at a time.
func (l *limiter) reopen() uint64 {
	asked := l.asked.Swap(0)
	if asked <= linesPerSecond {
		return 0
	}
	l.held.Add(asked - linesPerSecond)
	return asked - linesPerSecond
}

// total returns how many lines were held back in all, this second included.
func (l *limiter) total() uint64 {
	asked := l.asked.Load()
	return l.held.Load() + max(asked, linesPerSecond) - linesPerSecond
}

// limiterOf returns the limiter of one type and message of one server; the sampler opens it.
func (st *Stack) limiterOf(server, typ, message string, level slog.Level) *limiter {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, l := range st.limiters {
		if l.server == server && l.typ == typ && l.message == message {
			return l
		}
	}
	l := &limiter{server: server, typ: typ, message: message, level: level}
	st.limiters = append(st.limiters, l)
	return l
}

func (st *Stack) addedLimiters() []*limiter {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.limiters[:len(st.limiters):len(st.limiters)]
}

// heldBack returns how many lines were held back in all.
func (st *Stack) heldBack() (n uint64) {
	for _, l := range st.addedLimiters() {
		n += l.total()
	}
	return n
}

// reportHeldBack logs what the last second held back and opens the limiters.
func (st *Stack) reportHeldBack() {
	for _, l := range st.addedLimiters() {
		if n := l.reopen(); n > 0 {
			st.log.LogAttrs(context.Background(), l.level, "log lines held back",
				slog.String("type", l.typ), slog.String("server", l.server),
				slog.String("message", l.message), slog.Uint64("held_back", n))
		}
	}
}
