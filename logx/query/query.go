package query

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// Limits of a search.
const (
	MaxParallel    = 64 // goroutines; Query.Parallel beyond it means it
	MaxCorruptions = 64 // places in Stats.Corrupt; the rest is counted
)

var (
	// ErrNoLog says that a directory is there and holds no log, and that nobody has it to write one.
	ErrNoLog = errors.New("no log in it")
	// ErrCorrupt says that something in the range of a search could not be read; Stats tells where.
	ErrCorrupt = errors.New("part of the log cannot be read")
)

// UnknownTypeError says that no segment knows a type of the query.
type UnknownTypeError struct {
	Name  string
	Known []string // what there is, sorted
}

// Error lists the types there are.
func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("unknown type %q: want %s", e.Name, strings.Join(e.Known, ", "))
}

// Query says which records are wanted: those for which all fields that are not zero hold. The zero Query wants all. It is
// not changed by a search and may be used by several at once.
type Query struct {
	From, To     uint64    // indexes from From on and before To; To 0 = no end
	Since, Until time.Time // times from Since on and before Until
	MinLevel     record.Level
	Types        []string // any of them, by name
	Session      uint64
	Trace        [16]byte
	Grep         *regexp.Regexp // matches "message key=value ..."; keys and values are quoted as record.AppendText quotes them

	Limit    int // at most so many, the first; 0 = all
	Tail     int // at most so many, the last, as of the beginning; 0 = all, below 0 = none of what is there yet
	Parallel int // goroutines that read blocks; default GOMAXPROCS, at most MaxParallel

	// Progress is told how many records of how many have been passed, by the goroutine of the search, after each unit.
	// Follow calls it with done == total after each poll, when all hits so far have been given.
	Progress func(done, total int64)
}

// Yield gets the records that match, in the order of their indexes, on the goroutine of the search. The record and its
// strings are valid until it returns. It ends the search with false.
type Yield func(r *record.Record, t *record.Types) bool

// Stats tell what a search did.
type Stats struct {
	Segments   int   // opened for the search
	Blocks     int   // that could hold a hit, by their summaries or postings
	BlocksRead int   // of these, read
	Records    int64 // whose head was looked at
	Hits       int64 // given
	Bytes      int64 // of blocks and copies that were searched, uncompressed
	Corrupted  int   // places that could not be read
	Corrupt    []Corruption
	Next       uint64 // the index after the last record there was, in files and ring

	// Asides are the files that keep what a recovery took out of the log because it was damaged, as of the beginning. They are
	// not searched, and are no error: Verify tells what is in them.
	Asides []segment.Aside
}

// Corruption is a place that could not be read.
type Corruption struct {
	Segment uint64 // its base
	File    string // name of the file; "" = its data, compressed or not
	Offset  int64  // in the file, and that of the data uncompressed; -1 when it is no place in it
	Err     error
}

// String names the place and what is wrong there.
func (c Corruption) String() string {
	place := c.File
	if place == "" {
		place = fmt.Sprintf("segment %d", c.Segment)
	}
	if c.Offset >= 0 {
		place = fmt.Sprintf("%s, byte %d", place, c.Offset)
	}
	return fmt.Sprintf("%s: %v", place, c.Err)
}

// corrupt counts a place and keeps it while there is room.
func (s *Stats) corrupt(c Corruption) {
	s.Corrupted++
	if len(s.Corrupt) < MaxCorruptions {
		s.Corrupt = append(s.Corrupt, c)
	}
}

// err is the error that the places make at the end of a search.
func (s *Stats) err() error {
	if s.Corrupted == 0 {
		return nil
	}
	more := ""
	if s.Corrupted > 1 {
		more = fmt.Sprintf(" and %d other places", s.Corrupted-1)
	}
	return fmt.Errorf("%w: %v%s", ErrCorrupt, s.Corrupt[0], more)
}

func (q *Query) parallel() int {
	if q.Parallel > 0 {
		return min(q.Parallel, MaxParallel)
	}
	return min(runtime.GOMAXPROCS(0), MaxParallel)
}

// bounds gives the range of times as unix nanoseconds, all of them where there is no bound.
func (q *Query) bounds() (since, until int64) {
	since, until = math.MinInt64, math.MaxInt64
	if !q.Since.IsZero() {
		since = nanos(q.Since)
	}
	if !q.Until.IsZero() {
		until = nanos(q.Until)
	}
	return since, until
}

// late is how long after its time a record is in a file, but for a disk that stands still.
const late = time.Second

// endedBy tells whether a look at the log that began at a time has seen all that is before Until.
func (q *Query) endedBy(began time.Time) bool {
	return !q.Until.IsZero() && began.Sub(q.Until) >= late
}

// nanos is UnixNano for every time: those beyond its range are at its ends.
func nanos(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// typeSet is the set of the query's types as one segment numbers them, all when it names none.
func (q *Query) typeSet(t *record.Types) uint64 {
	if len(q.Types) == 0 {
		return math.MaxUint64
	}
	var set uint64
	for _, name := range q.Types {
		if typ, ok := t.Parse(name); ok {
			set |= 1 << typ
		}
	}
	return set
}

// checkTypes finds a type of the query that none of the logs knows.
func (q *Query) checkTypes(logs []*record.Types) error {
	for _, name := range q.Types {
		if !slices.ContainsFunc(logs, func(t *record.Types) bool { _, ok := t.Parse(name); return ok }) {
			return &UnknownTypeError{Name: name, Known: knownTypes(logs)}
		}
	}
	return nil
}

func knownTypes(logs []*record.Types) (names []string) {
	for typ := range record.FirstCustom {
		if name := (*record.Types)(nil).Name(typ); !strings.HasPrefix(name, "#") {
			names = append(names, name)
		}
	}
	for _, t := range logs {
		names = append(names, t.Custom()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
