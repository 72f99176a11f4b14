package segment

import (
	"errors"
	"fmt"
	"time"

	"vitrine/logx/record"
)

// Defaults and bounds of Config.
const (
	DefaultSegmentBytes = 128 << 20
	MinSegmentBytes     = 1 << 20
	LimitSegmentBytes   = 1 << 30
	DefaultSegmentAge   = 24 * time.Hour
	MinSegmentAge       = time.Second
)

// Config says how the files of a directory are written. The zero value of each field but Dir means its default.
type Config struct {
	Dir string
	FS  FS // default OS()

	SegmentBytes int64         // a segment ends with the write that brings it to this size; default 128 MiB, 1 MiB to 1 GiB
	SegmentAge   time.Duration // and with the first write after this age; default 24 h, at least 1 s
	Types        *record.Types // names of the custom types, kept in each segment; nil = none
	Compress     bool          // put sealed segments into zstd frames, in the background

	// What is kept, the segment being written included, which itself is never removed, nor is the one before it while it
	// has no record. The oldest go first. 0 = all.
	KeepBytes    int64         // bytes of all files
	KeepSegments int           // segments
	KeepAge      time.Duration // since a segment was sealed

	// Notify is told of what goes wrong in the background, and of index files that could not be written; default: nobody.
	// It is called from the background goroutine and from the owner's, also at once, and must not block.
	Notify func(error)
}

// SetDefaults fills in what is zero and checks the rest. The error names every bad field.
func (c *Config) SetDefaults() error {
	if c.FS == nil {
		c.FS = OS()
	}
	if c.SegmentBytes == 0 {
		c.SegmentBytes = DefaultSegmentBytes
	}
	if c.SegmentAge == 0 {
		c.SegmentAge = DefaultSegmentAge
	}
	if c.Notify == nil {
		c.Notify = func(error) {}
	}
	return c.check()
}

func (c *Config) check() error {
	var bad []error
	report := func(format string, values ...any) { bad = append(bad, fmt.Errorf(format, values...)) }
	if c.Dir == "" {
		report("no directory")
	}
	if c.SegmentBytes < MinSegmentBytes || c.SegmentBytes > LimitSegmentBytes {
		report("segments of %d bytes, not %d to %d", c.SegmentBytes, MinSegmentBytes, LimitSegmentBytes)
	}
	if c.SegmentAge < MinSegmentAge {
		report("segment age %v is below %v", c.SegmentAge, MinSegmentAge)
	}
	if c.KeepBytes < 0 || c.KeepSegments < 0 || c.KeepAge < 0 {
		report("what is kept is negative: %d bytes, %d segments, %v", c.KeepBytes, c.KeepSegments, c.KeepAge)
	}
	return errors.Join(bad...)
}
