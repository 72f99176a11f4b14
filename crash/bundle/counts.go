package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// maxCountsBytes is of the file that is read; MaxFingerprints of the longest entries are shorter.
const maxCountsBytes = 1 << 20

// counts is .admissions.json: what a store has seen. It changes under the lock of the store.
type counts struct {
	Schema   int                 `json:"schema"`
	Tokens   float64             `json:"tokens"` // bundles that may be written at once
	Refilled time.Time           `json:"refilled"`
	Deaths   []time.Time         `json:"deaths,omitempty"` // the last, oldest first, at most Limits.LoopCrashes
	Kinds    map[string]*counted `json:"kinds"`
	Others   uint64              `json:"others,omitempty"` // crashes of kinds that had to go
}

// counted is what was seen of one fingerprint.
type counted struct {
	Before
	Bundle time.Time `json:"bundle,omitzero"` // the last one
	Core   time.Time `json:"core,omitzero"`   // the last one
}

// readCounts reads the counts. The error of a file that makes no sense is ErrCorrupt; the counts are then fresh ones.
func (s *Store) readCounts() (*counts, error) {
	fresh := &counts{Schema: Schema, Tokens: float64(s.limits.BundlesPerHour), Kinds: map[string]*counted{}}
	f, err := s.disk.open(countsName)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return fresh, err
	}
	text, err := readAll(f, maxCountsBytes)
	if err != nil {
		return fresh, err
	}
	c, err := decodeCounts(text, s.limits, s.now())
	if err != nil {
		return fresh, err
	}
	return c, nil
}

// decodeCounts reads the text of the file. What it returns without an error is within bounds.
func decodeCounts(text []byte, l Limits, now time.Time) (*counts, error) {
	var c counts
	if err := json.Unmarshal(text, &c); err != nil || c.Schema != Schema {
		return nil, fmt.Errorf("%w: %s makes no sense", ErrCorrupt, countsName)
	}
	c.mend(l, now)
	return &c, nil
}

// takeCounts reads the counts to change them. What makes no sense is set aside and counting begins again: it must not
// keep a report from being written.
func (s *Store) takeCounts() (*counts, error) {
	c, err := s.readCounts()
	if errors.Is(err, ErrCorrupt) {
		err = s.disk.rename(countsName, damagedName)
	}
	return c, err
}

// mend puts what was read within bounds. Times that lie ahead are of a clock that was set back: they count for nothing.
func (c *counts) mend(l Limits, now time.Time) {
	if c.Refilled.After(now) {
		c.Refilled = now
	}
	c.Tokens = min(max(c.Tokens, 0), float64(l.BundlesPerHour))
	c.Deaths = slices.DeleteFunc(c.Deaths, func(t time.Time) bool { return t.After(now) })
	kept := make(map[string]*counted, len(c.Kinds))
	for name, k := range c.Kinds {
		if k != nil && len(name) <= 32 && len(kept) < MaxFingerprints {
			kept[name] = k
		}
	}
	c.Kinds = kept
}

// writeCounts replaces the file. A reader sees the old counts or the new ones.
func (s *Store) writeCounts(c *counts) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return replace(s.disk, countsName, text, false)
}

// kind finds a kind, and makes room for it when it is new.
func (c *counts) kind(name string) *counted {
	k := c.Kinds[name]
	if k == nil {
		k = &counted{}
		if len(c.Kinds) >= MaxFingerprints {
			c.forget()
		}
		c.Kinds[name] = k
	}
	return k
}

// forget drops the kind that was not seen for longest.
func (c *counts) forget() {
	oldest := ""
	for name, k := range c.Kinds {
		if oldest == "" || k.Last.Before(c.Kinds[oldest].Last) {
			oldest = name
		}
	}
	c.Others += c.Kinds[oldest].Count
	delete(c.Kinds, oldest)
}

// refill adds what has come to the bucket since it was last looked at.
func (c *counts) refill(l Limits, now time.Time) {
	if !c.Refilled.IsZero() {
		c.Tokens += now.Sub(c.Refilled).Hours() * float64(l.BundlesPerHour)
		c.Tokens = min(c.Tokens, float64(l.BundlesPerHour))
	}
	c.Refilled = now
}

// died remembers a death, and tells whether the last ones are a loop.
func (c *counts) died(l Limits, now time.Time) bool {
	c.Deaths = append(c.Deaths, now)
	c.Deaths = c.Deaths[max(0, len(c.Deaths)-l.LoopCrashes):]
	return len(c.Deaths) == l.LoopCrashes && now.Sub(c.Deaths[0]) <= l.LoopWithin
}
