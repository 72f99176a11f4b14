package pool

import "fmt"

// A Leak is a call site that took slots which are out of the pool.
type Leak struct {
	Site    string   // "dir/file.go:line function" that called Get
	Callers []string // its callers, innermost first, at most 6
	Count   int      // slots
}

// String returns the count and the site, on one line.
func (l Leak) String() string {
	return fmt.Sprintf("%d slots taken at %s", l.Count, l.Site)
}
