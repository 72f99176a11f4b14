package logx

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// complainer tells of the log's own troubles where somebody may see them, at most one line a second. Any goroutine.
type complainer struct {
	out  io.Writer // guarded by mu
	mu   sync.Mutex
	said time.Time // guarded by mu: the last line
	held int       // guarded by mu: lines held back since
}

// say writes one line, or holds it back and counts it.
func (c *complainer) say(format string, values ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.said) < time.Second {
		c.held++
		return
	}
	c.write(format, values...)
}

// must writes one line whenever it is: for news that end a trouble, and that cannot come often.
func (c *complainer) must(format string, values ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(format, values...)
}

// write writes the line and tells what was held back before. mu is held.
func (c *complainer) write(format string, values ...any) {
	more := ""
	if c.held > 0 {
		more = fmt.Sprintf(" (%d more held back)", c.held)
	}
	c.said, c.held = time.Now(), 0
	fmt.Fprintf(c.out, "log: %s%s\n", fmt.Sprintf(format, values...), more)
}
