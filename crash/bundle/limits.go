package bundle

import (
	"errors"
	"fmt"
	"time"
)

// The limits that are not settings.
const (
	MaxFiles        = 64             // files of a bundle, meta.json not counted
	MaxMetaBytes    = 1 << 20        // of a meta.json that is read
	MaxNames        = 1 << 16        // names of a directory that are looked at
	MaxFingerprints = 1024           // whose counts are kept; the one not seen for longest goes
	LockWait        = time.Second    // nobody waits longer for the lock of a store
	maxFileBytes    = int64(1) << 40 // what a limit in bytes may say
	maxCount        = 1_000_000      // what a limit that counts may say
	maxLoopCrashes  = 100            // times that are remembered
	maxEvery        = 10 * 365 * 24 * time.Hour
)

// Limits bounds a store. Zero means the default; a negative value is an error.
type Limits struct {
	Bundles        int           // bundles that are kept, default 100
	TextBytes      int64         // bytes of them all without their cores, default 256 MiB
	FileBytes      int64         // of one file given to Write or Copy, default 32 MiB; the rest is cut off
	Cores          int           // cores that are kept, default 3
	CoreBytes      int64         // of them all, default 4 GiB
	FreePercent    int           // of the disk that stays free of cores, default 10
	CoreEvery      time.Duration // one core per fingerprint in this time, default 1 h
	BundleEvery    time.Duration // one bundle per fingerprint in this time, default 1 min
	BundlesPerHour int           // of all fingerprints, a token bucket of that size, default 20
	LoopCrashes    int           // as many deaths ..., default 5
	LoopWithin     time.Duration // ... in this time are a loop, whose bundles have no core, default 5 min
}

// Validate reports every field that makes no sense.
func (l Limits) Validate() error {
	_, err := l.withDefaults()
	return err
}

// Loop returns what makes a crash loop: so many deaths within so long, defaults filled in.
func (l Limits) Loop() (crashes int, within time.Duration) {
	l, _ = l.withDefaults() // who opens a store with it hears what makes no sense
	return l.LoopCrashes, l.LoopWithin
}

// withDefaults fills in what is zero and reports every field that makes no sense.
func (l Limits) withDefaults() (Limits, error) {
	err := errors.Join(
		bound("bundles", &l.Bundles, 100, maxCount),
		bound("text bytes", &l.TextBytes, 256<<20, maxFileBytes),
		bound("file bytes", &l.FileBytes, 32<<20, maxFileBytes),
		bound("cores", &l.Cores, 3, maxCount),
		bound("core bytes", &l.CoreBytes, 4<<30, maxFileBytes),
		bound("free percent", &l.FreePercent, 10, 100),
		bound("core every", &l.CoreEvery, time.Hour, maxEvery),
		bound("bundle every", &l.BundleEvery, time.Minute, maxEvery),
		bound("bundles per hour", &l.BundlesPerHour, 20, maxCount),
		bound("loop crashes", &l.LoopCrashes, 5, maxLoopCrashes),
		bound("loop within", &l.LoopWithin, 5*time.Minute, maxEvery),
	)
	return l, err
}

// bound puts the default in the place of zero and checks the rest.
func bound[T int | int64 | time.Duration](name string, v *T, standard, most T) error {
	if *v == 0 {
		*v = standard
	}
	if *v < 0 || *v > most {
		return fmt.Errorf("limit of %s: %v is not in 1 to %v", name, *v, most)
	}
	return nil
}
