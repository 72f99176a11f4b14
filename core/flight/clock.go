package flight

import "time"

// base is the clock's zero. It never changes: every stamp of the process is
// relative to it, which makes a stamp one subtraction and one word.
var base = time.Now()

// Clock returns nanoseconds since the process's clock zero, a moment at its
// start. It is monotonic; any goroutine may call it; it costs one clock read.
func Clock() int64 { return int64(time.Since(base)) }

// Wall returns the wall time of a stamp of [Clock]. It keeps the offset of the
// process's start: a wall clock set later does not move stamps apart.
func Wall(stamp int64) time.Time { return base.Round(0).Add(time.Duration(stamp)) }
