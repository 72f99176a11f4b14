package logx

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"time"

	"vitrine/logx/record"
	"vitrine/logx/ring"
	"vitrine/logx/segment"
)

// Format says what the files of a log hold.
type Format uint8

const (
	// Binary is compact, indexed and searchable: vitrine logs reads it.
	Binary Format = iota
	// Text is one readable line a record, for those who tail files. It has no index; the numbers of its lines are the
	// records' indexes all the same, and it loses nothing that Binary would not lose.
	Text
)

// SyncPolicy says when written bytes are made to survive the loss of power. The death of the process loses nothing under any
// of them.
type SyncPolicy uint8

const (
	SyncInterval SyncPolicy = iota // every Config.SyncEvery, when something was written
	SyncNone                       // never: the kernel writes when it likes, about every 30 s
	SyncOnError                    // as SyncInterval, and at once after a record of ERROR or above
	SyncEach                       // Write returns when its record is on the device
)

// Defaults and bounds of Config.
const (
	DefaultRingRecords = 1 << 15
	DefaultSyncEvery   = time.Second
	DefaultWaitLimit   = 5 * time.Second
	minSyncEvery       = time.Millisecond
	defaultCloseLimit  = 2 * time.Second
)

// Config describes a Log. The zero value of each field but Dir means its default; Open reports every bad field at once.
type Config struct {
	Dir    string // made when missing; one process at a time writes to it
	Format Format

	Level      record.Level            // the least level that is logged; default Info
	TypeLevels map[string]record.Level // for the types named, instead of Level
	Types      []string                // the application's own types beside the closed list; at most 48, names of [a-z0-9_]

	// Block is the set of levels whose calls wait when the ring is full, for at most WaitLimit; the others are dropped and
	// counted at once. Default Warn and above. While the files cannot be written nobody waits.
	Block     record.Levels
	WaitLimit time.Duration // default 5 s

	RingRecords int // slots of 256 bytes; a power of two; default 32768
	// RingDir is where the ring's file lies: default /dev/shm where there is one with room, otherwise Dir. In a container
	// whose /dev/shm goes with it, set it to a directory that stays.
	RingDir string

	Sync      SyncPolicy
	SyncEvery time.Duration // default 1 s, at least 1 ms

	SegmentBytes int64         // a file ends at this size; default 128 MiB, from 1 MiB to 1 GiB
	SegmentAge   time.Duration // and at this age; default 24 h
	NoCompress   bool          // leave sealed files as they are; text never is compressed
	KeepBytes    int64         // remove the oldest files beyond these limits; 0 = keep all
	KeepSegments int
	KeepAge      time.Duration

	FS       segment.FS // default the operating system's
	Complain io.Writer  // where the log tells of its own troubles, at most one line a second; default stderr

	closeLimit time.Duration // how long Close tries to write what the files do not take; tests shorten it
}

func (c *Config) fill() error {
	if c.Level == 0 {
		c.Level = record.Info
	}
	if c.Block == 0 {
		c.Block = record.AtLeast(record.Warn)
	}
	if c.RingRecords == 0 {
		c.RingRecords = DefaultRingRecords
	}
	if c.SyncEvery == 0 {
		c.SyncEvery = DefaultSyncEvery
	}
	if c.WaitLimit == 0 {
		c.WaitLimit = DefaultWaitLimit
	}
	if c.closeLimit == 0 {
		c.closeLimit = defaultCloseLimit
	}
	if c.FS == nil {
		c.FS = segment.OS()
	}
	if c.Complain == nil {
		c.Complain = os.Stderr
	}
	return c.check()
}

// check leaves the limits of segments to their package.
func (c *Config) check() error {
	var bad []error
	report := func(format string, values ...any) { bad = append(bad, fmt.Errorf(format, values...)) }
	if c.Dir == "" {
		report("no directory")
	}
	if c.Format > Text {
		report("format %d is unknown", c.Format)
	}
	if c.Level > record.System {
		report("level %d is unknown", c.Level)
	}
	if c.Sync > SyncEach {
		report("sync policy %d is unknown", c.Sync)
	}
	if c.SyncEvery < minSyncEvery {
		report("sync interval %v is below %v", c.SyncEvery, minSyncEvery)
	}
	if c.WaitLimit < 0 {
		report("wait limit %v is negative", c.WaitLimit)
	}
	if c.RingRecords < ring.MinSlots || c.RingRecords > ring.MaxSlots || bits.OnesCount(uint(c.RingRecords)) != 1 {
		report("ring of %d records is not a power of two from %d to %d", c.RingRecords, ring.MinSlots, ring.MaxSlots)
	}
	return errors.Join(bad...)
}

// segments returns the part of the configuration that the files are about.
func (c *Config) segments(types *record.Types, notify func(error)) segment.Config {
	return segment.Config{
		Dir: c.Dir, FS: c.FS, SegmentBytes: c.SegmentBytes, SegmentAge: c.SegmentAge, Types: types, Compress: !c.NoCompress,
		KeepBytes: c.KeepBytes, KeepSegments: c.KeepSegments, KeepAge: c.KeepAge, Notify: notify,
	}
}
