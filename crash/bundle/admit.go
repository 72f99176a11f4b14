package bundle

import (
	"errors"
	"fmt"
	"time"
)

// Admission says what a crash may write.
type Admission struct {
	Bundle    bool
	Core      bool
	CoreBytes int64  // at most, when Core: what the limit and the free part of the disk leave
	Why       string // why not more; "" = everything
	Before    Before // what was seen of it until now
}

// The reasons of Admission.Why.
const (
	whyRecent     = "a bundle of this fingerprint was written a moment ago"
	whyRate       = "the bundles of this hour are used up"
	whyNoCore     = "nothing is left to take a core of"
	whyLoop       = "crash loop: text only"
	whyCoreRecent = "a core of this fingerprint was written a while ago"
	whyDisk       = "the disk has no room for a core"
	whyUncounted  = "the counts of the store cannot be used: text only"
)

// Admit counts a crash and tells what it may write. It waits at most [LockWait]. With an error, which means that the
// counts could not be read or kept, the admission still holds: a dying process writes its text, and nothing else.
//
// One bundle is admitted per fingerprint and Limits.BundleEvery, of a process that lives on also only while the hour has
// any left; a core comes with it once per Limits.CoreEvery, when the process can have one, the disk has room, and the crash
// is no loop. Where there is no fingerprint the class stands for it.
func (s *Store) Admit(class Class, fingerprint string) (Admission, error) {
	if !class.Known() {
		return Admission{Why: whyUncounted}, fmt.Errorf("admit crash of class %q: not one of the list", class)
	}
	var a Admission
	err := s.locked(func() error {
		c, err := s.takeCounts()
		if err != nil {
			return err
		}
		a = c.admit(s.limits, s.now(), class, kindOf(class, fingerprint), s.coreRoom())
		return s.writeCounts(c)
	})
	if err != nil {
		return Admission{Bundle: class.Dying(), Why: whyUncounted, Before: a.Before}, fmt.Errorf("admit crash to %q: %w", s.dir, err)
	}
	return a, nil
}

// Seen tells what was counted of a fingerprint so far, or of a class where there is none. It changes nothing.
func (s *Store) Seen(class Class, fingerprint string) (Before, error) {
	c, err := s.readCounts()
	if err != nil {
		return Before{}, fmt.Errorf("read counts of crash store %q: %w", s.dir, err)
	}
	if k := c.Kinds[kindOf(class, fingerprint)]; k != nil {
		return k.Before, nil
	}
	return Before{}, nil
}

// admit counts one crash; room is what a core may take of the disk.
func (c *counts) admit(l Limits, now time.Time, class Class, name string, room int64) Admission {
	k := c.kind(name)
	a := Admission{Before: k.Before}
	k.seen(now)
	c.refill(l, now)
	loop := class.Dying() && c.died(l, now)
	a.Bundle, a.Why = c.bundle(l, now, class, k)
	if !a.Bundle {
		k.HeldBack++
		return a
	}
	k.Bundle = now
	c.Tokens = max(c.Tokens-1, 0)
	if a.Why = k.coreRefused(l, now, class, loop, room); a.Why == "" {
		a.Core, a.CoreBytes = true, min(room, l.CoreBytes)
		k.Core = now
	}
	return a
}

func (k *counted) seen(now time.Time) {
	if k.Count == 0 {
		k.First = now
	}
	k.Count++
	k.Last = now
}

// bundle tells whether a bundle may be written, and if not why. The text of a dying process needs no token.
func (c *counts) bundle(l Limits, now time.Time, class Class, k *counted) (bool, string) {
	switch {
	case !passed(k.Bundle, now, l.BundleEvery):
		return false, whyRecent
	case c.Tokens < 1 && !class.Dying():
		return false, whyRate
	}
	return true, ""
}

// coreRefused says why there is no core, "" when there is one.
func (k *counted) coreRefused(l Limits, now time.Time, class Class, loop bool, room int64) string {
	switch {
	case !class.HasCore():
		return whyNoCore
	case loop:
		return whyLoop
	case !passed(k.Core, now, l.CoreEvery):
		return whyCoreRecent
	case room < minCoreBytes:
		return whyDisk
	}
	return ""
}

// passed tells whether an interval is over. A time that lies ahead is of a clock that was set back.
func passed(since, now time.Time, every time.Duration) bool {
	return since.IsZero() || since.After(now) || now.Sub(since) >= every
}

// minCoreBytes is the least room that a core is begun for.
const minCoreBytes = 1 << 20

// coreRoom tells how much a core may take so that Limits.FreePercent of the disk stays free.
func (s *Store) coreRoom() int64 {
	free, total, err := s.disk.space()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return s.limits.CoreBytes
	case err != nil:
		return 0
	}
	return free - s.kept(total)
}

// kept is the part of a disk that stays free of cores.
func (s *Store) kept(total int64) int64 { return total / 100 * int64(s.limits.FreePercent) }
