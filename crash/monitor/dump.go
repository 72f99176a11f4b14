package monitor

import (
	"time"

	"vitrine/crash/bundle"
)

// Dumped is what came of a Dump.
type Dumped struct {
	ID, Path string        // of the bundle
	Stopped  time.Duration // the process stood still
	Core     bundle.Core
	Problems []string // what the bundle lacks, and why
}

// askedFor is the reason of a dump.
const askedFor = "an operator asked for it"

// loose lifts the limits on how often bundles are made, for a report that somebody asked for. How much is kept stays.
func loose(l bundle.Limits) bundle.Limits {
	l.BundleEvery, l.CoreEvery, l.BundlesPerHour = 1, 1, manyBundles
	return l
}

const manyBundles = 1_000_000
