package flight

import (
	"errors"
	"fmt"
	"time"
)

// Config describes one worker's recorder. The zero value is usable.
type Config struct {
	Worker    uint16        // number of the worker; the upper 16 bits of each Ref
	Name      string        // the server's name, part of the file's name; default "vitrine", at most 63 of a-z A-Z 0-9 . _ -
	Records   int           // packets kept: a power of two, 64 to 65536; default 4096
	Lifecycle int           // life-cycle events kept: a power of two, 64 to 65536; default 1024
	Group     int           // packets per clock read: 1 to 64; default 4
	Slow      time.Duration // groups longer than this get FlagSlow; 0 = none do, below 4.29 s
	Boot      uint64        // the process's boot id, kept in the file's header
	Dir       string        // "" = heap; else the folder of the MAP_SHARED file (Linux only)
	Clock     func() int64  // ns since the clock's zero, monotonic; default Clock
}

const (
	minRecords = 64
	maxRecords = 1 << 16 // larger rings leave the cache and cost 4-10x per record
	maxGroup   = 64
	maxName    = 63
)

func (c *Config) setDefaults() {
	if c.Name == "" {
		c.Name = "vitrine"
	}
	if c.Records == 0 {
		c.Records = 4096
	}
	if c.Lifecycle == 0 {
		c.Lifecycle = 1024
	}
	if c.Group == 0 {
		c.Group = 4
	}
	if c.Clock == nil {
		c.Clock = Clock
	}
}

// validate returns every bad field at once.
func (c *Config) validate() error {
	var errs []error
	if !validSize(c.Records) {
		errs = append(errs, fmt.Errorf("records %d: not a power of two from %d to %d", c.Records, minRecords, maxRecords))
	}
	if !validSize(c.Lifecycle) {
		errs = append(errs, fmt.Errorf("lifecycle %d: not a power of two from %d to %d", c.Lifecycle, minRecords, maxRecords))
	}
	if c.Group < 1 || c.Group > maxGroup {
		errs = append(errs, fmt.Errorf("group %d: not from 1 to %d", c.Group, maxGroup))
	}
	if c.Slow < 0 || c.Slow >= 1<<32 {
		errs = append(errs, fmt.Errorf("slow %v: not from 0 to 4.29s", c.Slow))
	}
	if !validName(c.Name) {
		errs = append(errs, fmt.Errorf("name %q: not 1 to %d of a-z A-Z 0-9 . _ -", c.Name, maxName))
	}
	return errors.Join(errs...)
}

func validSize(n int) bool {
	return n >= minRecords && n <= maxRecords && n&(n-1) == 0
}

func validName(s string) bool {
	if len(s) == 0 || len(s) > maxName || s[0] == '.' {
		return false
	}
	for _, c := range []byte(s) {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
		if !ok {
			return false
		}
	}
	return true
}
