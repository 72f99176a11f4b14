package sentry

import (
	"slices"
	"strings"
	"time"
)

// Due tells whether an envelope waits that may be sent, and since or until when an attempt waits. It reads the names of the spool
// and, where one waits, the state; it takes no lock and changes nothing, so it may be asked every few seconds. Without a DSN
// nothing may be sent.
func (s *Sender) Due() (at time.Time, waits bool, err error) {
	if s.dsn == nil {
		return at, false, nil
	}
	names, err := s.names()
	waits = slices.ContainsFunc(names, func(name string) bool {
		id, ok := strings.CutSuffix(name, suffix)
		return ok && isEventID(id)
	})
	if waits {
		at = s.readState().Until
	}
	return at, waits, err
}

// Resume forgets a back-off that followed failures, so that the next Send tries at once. One that the server ordered stands.
func (s *Sender) Resume() error {
	return s.update(func(st *state) error {
		if !st.Ordered {
			st.Until, st.Failures = time.Time{}, 0
		}
		return nil
	})
}

// Flush ends a back-off that followed failures, so that the next Send makes one attempt at once; when that fails too, the back-off
// goes on growing from where it was. It does so at most times within a while, for all who share the spool, so that programs that start
// again and again do not hammer the server; then it moves the next attempt to where it may again. A back-off that the
// server ordered stands.
func (s *Sender) Flush(most int, within time.Duration) error {
	return s.update(func(st *state) error {
		st.flush(s.now(), min(most, maxFlushes), within)
		return nil
	})
}

func (st *state) flush(now time.Time, most int, within time.Duration) {
	st.Flushes = slices.DeleteFunc(st.Flushes, func(t time.Time) bool { return t.After(now) || now.Sub(t) >= within })
	if st.Ordered || !now.Before(st.Until) || most < 1 {
		return
	}
	n := len(st.Flushes)
	if n < most {
		st.Until, st.Flushes = time.Time{}, append(st.Flushes, now)
		return
	}
	st.Flushes = st.Flushes[n-most:]
	if again := st.Flushes[0].Add(within); again.Before(st.Until) {
		st.Until = again
	}
}
