package sentry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	sentrygo "github.com/getsentry/sentry-go"
)

// Result is what a Send did.
type Result struct {
	Sent    int       // events that the server took
	Kept    int       // events that wait
	Dropped int       // refused even without attachments, too old, or tried MaxTries times
	Aside   int       // files that were no envelopes
	Next    time.Time // no attempt before; zero = none failed
}

// Send sends what waits in the spool, the oldest first, until the spool is empty or an attempt fails. A failed attempt
// starts a back-off, during which Send returns at once, in whatever process; so it does without a DSN. It waits for
// another process that sends, at most SendWait, and ends when ctx does; what it did until then is done. The error tells
// why events were kept; a running back-off is none, but Result.Next.
func (s *Sender) Send(ctx context.Context) (Result, error) {
	return s.SendWhile(ctx, func() bool { return true })
}

// SendWhile is Send, but begins to send no further event once more says no. One that is on its way is not called off, as it is when ctx
// ends: nobody would know whether the server has it, and it would go again under its id.
func (s *Sender) SendWhile(ctx context.Context, more func() bool) (Result, error) {
	var r Result
	err := s.sweep(ctx, more, &r)
	files, e := s.list()
	r.Kept = len(files)
	return r, errors.Join(err, e)
}

func (s *Sender) sweep(ctx context.Context, more func() bool, r *Result) error {
	if s.dsn == nil {
		return nil
	}
	unlock, err := s.lock(ctx, lockName, SendWait)
	if err != nil {
		return err
	}
	defer unlock()
	failures := s.sweepTemps()
	done := map[string]bool{}
	for {
		queue, err := s.queue(done, r)
		failures = errors.Join(failures, err)
		if len(queue) == 0 {
			return failures
		}
		for _, f := range queue {
			if !more() {
				return failures
			}
			done[f.id] = true
			err := s.one(ctx, f, r)
			failures = errors.Join(failures, err)
			if !r.Next.IsZero() || ctx.Err() != nil || errors.Is(err, ErrBusy) {
				return failures
			}
		}
	}
}

// queue lists what is to be sent now: what failed least comes first, so that one event that the server cannot digest
// holds up no other. It is empty during a back-off.
func (s *Sender) queue(done map[string]bool, r *Result) ([]spooled, error) {
	var files []spooled
	err := s.update(func(st *state) (err error) {
		if files, err = s.list(); err != nil {
			return err
		}
		st.forgetTried(files)
		if s.now().Before(st.Until) {
			files, r.Next = nil, st.Until
		}
		files = slices.DeleteFunc(files, func(f spooled) bool { return done[f.id] })
		for i := range files {
			files[i].tried = st.Tried[files[i].id]
		}
		slices.SortStableFunc(files, func(a, b spooled) int { return cmp.Compare(a.tried, b.tried) })
		return nil
	})
	return files, err
}

// forgetTried forgets the attempts of events that are gone.
func (st *state) forgetTried(files []spooled) {
	for id := range st.Tried {
		if !slices.ContainsFunc(files, func(f spooled) bool { return f.id == id }) {
			st.done(id)
		}
	}
}

// one sends one event, or finds why not.
func (s *Sender) one(ctx context.Context, f spooled, r *Result) error {
	name := s.path(f.id + suffix)
	packed, err := readFile(name, maxCompressed)
	if missing(err) {
		return nil // it made room for newer ones
	}
	if err != nil && !errors.Is(err, errTooLarge) && !errors.Is(err, errNotAFile) {
		return fmt.Errorf("read spool: %w", err)
	}
	var e *envelope
	if err == nil {
		e, err = parseEnvelope(f.id, packed)
	}
	switch {
	case err != nil:
		r.Aside++
		return s.update(func(st *state) error { st.Counts.Aside++; return s.setAside(f.id + suffix) })
	case s.now().Sub(f.time) > MaxAge, f.tried >= MaxTries:
		r.Dropped++
		return s.finish(f.id, func(c *Counts) { c.Evicted++ })
	case s.doneBefore(f.id):
		return nil
	}
	return s.deliver(ctx, e, packed, r)
}

// doneBefore removes an event that was sent by a sender that died before it could.
func (s *Sender) doneBefore(id string) bool {
	done := false
	err := s.update(func(*state) error {
		if done = s.isDone(id); done {
			return remove(s.path(id + suffix))
		}
		return nil
	})
	return done && err == nil
}

// deliver posts an envelope, without its attachments when the server refuses them.
func (s *Sender) deliver(ctx context.Context, e *envelope, packed []byte, r *Result) error {
	a := s.post(ctx, packed)
	if a.verdict == refused && e.strip() {
		bare, err := s.stripped(e)
		if err != nil {
			return err
		}
		a = s.post(ctx, bare)
	}
	switch a.verdict {
	case taken:
		r.Sent++
		s.hooks.answered(e.id)
		return errors.Join(s.finish(e.id, func(c *Counts) { c.Sent++ }), s.obey(a, r))
	case refused:
		r.Dropped++
		return s.finish(e.id, func(c *Counts) { c.Dropped++ })
	}
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return err // called off: the server is not to blame, as it is when the time is over
	}
	return errors.Join(s.backOff(e.id, a, r), fmt.Errorf("send event %s: %s", e.id, a.reason))
}

// stripped replaces an envelope of the spool by one without attachments, so that they are refused once. On a full disk
// the old one stays, and the answer to the new one counts.
func (s *Sender) stripped(e *envelope) ([]byte, error) {
	bare, err := e.bytes()
	if err != nil {
		return nil, err
	}
	return bare, s.update(func(st *state) error {
		st.Counts.Stripped++
		tmp, err := s.temp(func(w io.Writer) error { _, err := w.Write(bare); return err })
		if err != nil {
			return nil
		}
		return s.publish(tmp, e.id+suffix)
	})
}

// finish takes an event out of the spool for good. It is listed as done before it goes; when the disk is too full for
// that, after.
func (s *Sender) finish(id string, count func(*Counts)) error {
	return s.update(func(st *state) error {
		count(&st.Counts)
		st.done(id)
		st.Failures, st.Last = 0, ""
		listed := s.addSent(id)
		s.hooks.listed(id)
		err := remove(s.path(id + suffix))
		if listed != nil {
			listed = s.addSent(id)
		}
		return errors.Join(listed, err)
	})
}

// obey waits as the server asked although it took the event.
func (s *Sender) obey(a answer, r *Result) error {
	if a.wait == 0 {
		return nil
	}
	return s.update(func(st *state) error {
		st.Until, st.Ordered = s.now().Add(a.wait), true
		r.Next = st.Until
		return nil
	})
}

// backOff counts a failure and sets the time before which nobody tries again.
func (s *Sender) backOff(id string, a answer, r *Result) error {
	return s.update(func(st *state) error {
		st.Failures++
		st.Tried[id]++
		st.Last = s.config.Scrub.Text(a.reason, maxReasonBytes)
		st.Ordered = a.wait > 0
		st.Until = s.now().Add(or(a.wait, backOff(st.Failures)))
		r.Next = st.Until
		return nil
	})
}

// post makes one attempt.
func (s *Sender) post(ctx context.Context, packed []byte) answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.dsn.GetAPIURL().String(), bytes.NewReader(packed))
	if err != nil {
		return failed(err)
	}
	req.Header.Set("Content-Type", "application/x-sentry-envelope")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("User-Agent", client)
	req.Header.Set("X-Sentry-Auth", s.auth())
	resp, err := s.config.Client.Do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection can be used again
	return judge(resp, s.now())
}

// client names this program to Sentry.
const client = "vitrine-crash/" + sentrygo.SDKVersion

func (s *Sender) auth() string {
	auth := "Sentry sentry_version=7, sentry_client=" + client + ", sentry_key=" + s.dsn.GetPublicKey()
	if secret := s.dsn.GetSecretKey(); secret != "" {
		auth += ", sentry_secret=" + secret
	}
	return auth
}
