package sentry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// state is state.json: what the processes that share a spool must agree on. It is read, changed and written under the
// state lock. A file that is missing or damaged counts as empty: the events are not in it.
type state struct {
	Failures int             `json:"failures"`          // in a row
	Until    time.Time       `json:"until,omitzero"`    // no attempt before
	Ordered  bool            `json:"ordered"`           // by the server
	Last     string          `json:"last,omitempty"`    // the failure
	Flushes  []time.Time     `json:"flushes,omitempty"` // back-offs that were ended, oldest first
	Tried    map[string]int  `json:"tried,omitempty"`   // attempts that failed, by event id
	Hours    map[string]hour `json:"hours,omitempty"`   // by fingerprint
	Counts   Counts          `json:"counts"`
}

// hour counts the events of one fingerprint. A new hour begins with the first event after the last one's end.
type hour struct {
	Start time.Time `json:"start"`
	Put   int       `json:"put"`
	Held  uint64    `json:"held"` // held back since the last event that was spooled
}

// Counts counts what happened to events since the spool was made.
type Counts struct {
	Put      uint64 `json:"put"`       // came into the spool
	Sent     uint64 `json:"sent"`      // were taken by the server
	Dropped  uint64 `json:"dropped"`   // were refused by it, even without their attachments
	Stripped uint64 `json:"stripped"`  // lost their attachments, which it refused
	Evicted  uint64 `json:"evicted"`   // made room for newer ones, became too old, or were tried MaxTries times
	HeldBack uint64 `json:"held_back"` // were over the limit of their fingerprint, and never spooled
	Aside    uint64 `json:"aside"`     // were no envelopes, or damaged
	Bare     uint64 `json:"bare"`      // were spooled without attachments, for want of room on the disk
}

// errState means that what was to be done is done, and the state could not be written: counts and a back-off are lost.
var errState = errors.New("state of the spool not written")

// update changes the state under its lock. What change did is written even when it fails.
func (s *Sender) update(change func(*state) error) error {
	unlock, err := s.lock(context.Background(), stateLockName, StateWait)
	if err != nil {
		return err
	}
	defer unlock()
	st := s.readState()
	err = change(st)
	if lost := s.writeState(st); err == nil && lost != nil {
		err = fmt.Errorf("%w: %w", errState, lost)
	}
	return err
}

// readState never fails: the state is worth less than the events.
func (s *Sender) readState() *state {
	st := &state{}
	raw, err := readFile(s.path(stateName), maxStateBytes)
	if err != nil || json.Unmarshal(raw, st) != nil {
		st = &state{}
	}
	if st.Tried == nil {
		st.Tried = map[string]int{}
	}
	if st.Hours == nil {
		st.Hours = map[string]hour{}
	}
	return st
}

func (s *Sender) writeState(st *state) error {
	raw, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	return s.writeFile(stateName, raw)
}

// admit tells whether one more event of a fingerprint may enter. One that may not is counted as held back.
func (st *state) admit(fingerprint string, limit int, now time.Time) error {
	h := st.Hours[fingerprint]
	if age := now.Sub(h.Start); age >= time.Hour || age < 0 {
		h.Start, h.Put = now, 0
	}
	var err error
	if h.Put >= limit {
		h.Held++
		st.Counts.HeldBack++
		err = ErrHeldBack
	}
	st.Hours[fingerprint] = h
	st.forgetHours()
	return err
}

// take is admit for an event that enters now, and tells of some that were held back.
func (st *state) take(fingerprint string, limit int, now time.Time, held uint64) error {
	if err := st.admit(fingerprint, limit, now); err != nil {
		return err
	}
	h := st.Hours[fingerprint]
	h.Put++
	h.Held -= min(held, h.Held)
	st.Hours[fingerprint] = h
	return nil
}

// forgetHours keeps the number of fingerprints in bounds.
func (st *state) forgetHours() {
	for len(st.Hours) > MaxFingerprints {
		oldest := ""
		for name, h := range st.Hours {
			if oldest == "" || h.Start.Before(st.Hours[oldest].Start) {
				oldest = name
			}
		}
		delete(st.Hours, oldest)
	}
}

// done forgets the attempts of an event that left the spool.
func (st *state) done(id string) { delete(st.Tried, id) }

// Stats is a look at a spool.
type Stats struct {
	Counts
	Spooled  int       // envelopes that wait
	Bytes    int64     // of them
	Failures int       // attempts that failed in a row
	Next     time.Time // no attempt before; zero = now
	Last     string    // why the last one failed
}

// Stats reads the spool. It waits for the state lock at most StateWait.
func (s *Sender) Stats() (Stats, error) {
	unlock, err := s.lock(context.Background(), stateLockName, StateWait)
	if err != nil {
		return Stats{}, err
	}
	defer unlock()
	st := s.readState()
	files, err := s.list()
	x := Stats{Counts: st.Counts, Spooled: len(files), Failures: st.Failures, Next: st.Until, Last: st.Last}
	for _, f := range files {
		x.Bytes += f.size
	}
	return x, err
}

// missing tells whether an error says that a file is not there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// remove deletes a file; one that is gone is fine.
func remove(name string) error {
	if err := os.Remove(name); err != nil && !missing(err) {
		return err
	}
	return nil
}
