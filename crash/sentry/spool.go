package sentry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	sentrygo "github.com/getsentry/sentry-go"

	"vitrine/crash/bundle"
)

// ErrHeldBack means that an event is one too many of its fingerprint in this hour. It is counted, and the next one that
// is spooled says how many were held back.
var ErrHeldBack = errors.New("event held back: too many of its kind in this hour")

// Put makes the event of the bundle in dir, whose metadata is m, and writes it into the spool; it is on the disk when Put
// returns. An event that is or was in the spool is not put again, and that is no error. Over the limit of its
// fingerprint it is ErrHeldBack. When the spool is full the oldest events go, counted. On a full disk the event goes
// without its attachments; where even that does not fit, Put fails and the bundle is what remains. Put waits for no
// network, and for other processes at most StateWait, twice.
func (s *Sender) Put(dir string, m *bundle.Meta) error {
	id := EventID(m)
	held, again, err := s.admit(id, m)
	if again || err != nil {
		return err
	}
	e, err := s.build(id, dir, m, held)
	if err != nil {
		return fmt.Errorf("make event %s: %w", id, err)
	}
	tmp, bare, err := s.spill(e)
	if err != nil {
		return fmt.Errorf("spool event %s: %w", id, err)
	}
	return s.enter(entry{id, tmp, m, held, bare})
}

// admit tells whether an event is in the spool already, or may not enter it. held is what the event has to tell.
func (s *Sender) admit(id string, m *bundle.Meta) (held uint64, again bool, err error) {
	err = s.update(func(st *state) error {
		if again = s.known(id); again {
			return nil
		}
		held = st.Hours[kind(m)].Held
		return st.admit(kind(m), s.config.PerHour, s.now())
	})
	if errors.Is(err, errState) {
		err = nil // a full disk may have room for a small event
	}
	return held, again, err
}

// kind is what an event is counted under.
func kind(m *bundle.Meta) string {
	if isHex(m.Fingerprint) && len(m.Fingerprint) <= 64 {
		return m.Fingerprint
	}
	return string(or(m.Class, "none"))
}

// build makes the envelope.
func (s *Sender) build(id, dir string, m *bundle.Meta, held uint64) (*envelope, error) {
	x := newCleaner(s.config.Scrub)
	g := x.gather(dir, m)
	files, over := within(g.files, s.config.Budget)
	ev := Event(m, g.dump, g.crumbs, s.config.Scrub)
	s.dress(ev)
	if c := ev.Contexts["core"]; c != nil && m.Core.File != "" {
		c["path"] = x.text(filepath.Join(dir, m.Core.File), maxNameBytes)
	}
	if c := ev.Contexts["crash"]; c != nil {
		c["held_back"] = held
		c["left_out"] = clean(x, append(g.leftOut, over...))
	}
	payload, err := ev.MarshalJSON()
	if err != nil {
		return nil, err
	}
	event := item{Type: "event", ContentType: "application/json", payload: payload}
	return &envelope{id: id, items: append([]item{event}, files...)}, nil
}

func clean(x *cleaner, texts []string) []string {
	for i := range texts {
		texts[i] = x.text(texts[i], maxReasonBytes)
	}
	return texts
}

// dress adds what the configuration knows.
func (s *Sender) dress(ev *sentrygo.Event) {
	if ev.Timestamp.IsZero() {
		ev.Timestamp = s.now().UTC()
	}
	ev.Environment = s.config.Environment
	ev.ServerName = s.config.Server
	ev.Release = or(s.config.Release, ev.Release)
}

// spill writes an envelope to a temporary file. bare tells that its attachments found no room.
func (s *Sender) spill(e *envelope) (tmp string, bare bool, err error) {
	tmp, err = s.temp(e.write)
	if err != nil && e.strip() {
		bare = true
		var small error
		if tmp, small = s.temp(e.write); small == nil {
			err = nil
		}
	}
	return tmp, bare, err
}

// entry is an event about to enter the spool.
type entry struct {
	id   string
	tmp  string // its envelope
	meta *bundle.Meta
	held uint64 // what it tells of those held back
	bare bool
}

// enter gives the envelope its name, unless another process was faster, and makes room for it.
func (s *Sender) enter(n entry) error {
	entered := false
	err := s.update(func(st *state) error {
		if s.known(n.id) {
			return nil
		}
		if err := st.take(kind(n.meta), s.config.PerHour, s.now(), n.held); err != nil {
			return err
		}
		if err := s.makeRoom(n.tmp, st); err != nil {
			return err
		}
		if err := s.publish(n.tmp, n.id+suffix); err != nil {
			return err
		}
		entered = true
		st.Counts.Put++
		if n.bare {
			st.Counts.Bare++
		}
		return nil
	})
	if entered {
		return nil // a state that could not be written costs a count
	}
	err = errors.Join(err, remove(n.tmp))
	if err != nil {
		return fmt.Errorf("spool event %s: %w", n.id, err)
	}
	return nil
}

// makeRoom removes the oldest envelopes until one more fits. One that is being sent at this moment may be among them.
func (s *Sender) makeRoom(tmp string, st *state) error {
	info, err := os.Lstat(tmp)
	if err != nil {
		return err
	}
	files, err := s.list()
	if err != nil {
		return err
	}
	bytes := info.Size()
	for _, f := range files {
		bytes += f.size
	}
	for n := len(files) + 1; len(files) > 0 && (n > s.config.SpoolFiles || bytes > s.config.SpoolBytes); n-- {
		if err := remove(s.path(files[0].id + suffix)); err != nil {
			return err
		}
		st.Counts.Evicted++
		st.done(files[0].id)
		bytes -= files[0].size
		files = files[1:]
	}
	return nil
}
