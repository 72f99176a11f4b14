package query

import (
	"context"
	"fmt"
	"math"
	"time"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// Search gives the records that q wants to yield and returns when there are no more, when yield returned false, after
// q.Limit of them, or when ctx is done; the error is then that of ctx. With a nil yield it only counts. The caller's
// goroutine waits for files; what Search started has ended when it returns.
//
// Errors: fs.ErrNotExist for a directory that is not there, ErrNoLog, *UnknownTypeError, and at the end, after all else was
// given, ErrCorrupt, also for a dead writer's ring that cannot be read. A directory whose writer has not written to it yet
// is a log without records.
func Search(ctx context.Context, dir string, q Query, yield Yield) (Stats, error) {
	s, err := newSearch(dir, q, yield)
	if err == nil {
		defer s.open.Close()
		err = s.step(ctx)
	}
	if err == nil && !s.over {
		err = ctx.Err()
	}
	return s.result("search", err)
}

// pollEvery is how often Follow looks for more.
const pollEvery = 100 * time.Millisecond

// Follow is Search that goes on with what arrives, until yield returns false, q.Limit or the end of the range is reached,
// or ctx is done; the error is then that of ctx. The range of times ends a second after q.Until, which is what records may take
// from their time to a file. Damage at the end of the files ends it too, with ErrCorrupt, and so does a
// dead writer's ring that cannot be read. Records come within 100 ms of being in a file, across rotation, compression and
// the writer's restart. What retention removed before it was read is missing.
func Follow(ctx context.Context, dir string, q Query, yield Yield) (Stats, error) {
	s, err := newSearch(dir, q, yield)
	if err == nil {
		defer s.open.Close()
		err = s.follow(ctx)
	}
	return s.result("follow", err)
}

// search is one call of Search or Follow. Owned by its goroutine; a planner reads q and what it is given.
type search struct {
	dir    string
	open   *segment.Dir // nil after an error; whoever made the search closes it
	q      Query        // From moves on with each step
	yield  Yield
	left   int   // of q.Limit
	over   bool  // enough was given
	begun  bool  // there is a log, or was
	broken bool  // the files end with damage
	ended  place // where the writer did whose ring was given
	rec    record.Record
	stats  Stats
}

func newSearch(dir string, q Query, yield Yield) (*search, error) {
	s := &search{dir: dir, q: q, yield: yield, left: math.MaxInt}
	if q.Limit > 0 {
		s.left = q.Limit
	}
	var err error
	if s.open, err = segment.Open(dir); err != nil {
		return s, err
	}
	s.stats.Asides = s.open.Asides()
	return s, s.checkTypes()
}

// checkTypes refuses types that no segment knows. It opens none for those that every log has.
func (s *search) checkTypes() error {
	if s.q.checkTypes([]*record.Types{nil}) == nil {
		return nil
	}
	var logs []*record.Types
	for _, one := range s.open.Segments() {
		logs = append(logs, one.Types())
	}
	return s.q.checkTypes(logs)
}

// result is what a search returns: its own error, or what could not be read.
func (s *search) result(operation string, err error) (Stats, error) {
	if err == nil {
		err = s.stats.err()
	}
	if err != nil {
		err = fmt.Errorf("%s log %q: %w", operation, s.dir, err)
	}
	return s.stats, err
}

// follow searches what is there, again and again.
func (s *search) follow(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		began := time.Now()
		if err := s.step(ctx); err != nil {
			return err
		}
		if s.over || s.broken || s.q.To != 0 && s.q.From >= s.q.To || s.q.endedBy(began) {
			return nil
		}
		s.tell(1, 1)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := s.open.Refresh(); err != nil {
			return err
		}
	}
}

// lookTries is how often a directory is listed again because its writer changes.
const lookTries = 3

// step searches what is there now, and moves q.From behind it.
func (s *search) step(ctx context.Context) error {
	snap, again := look(s.dir, s.open, &s.q, s.ended)
	for try := 1; again && try < lookTries; try++ {
		if err := s.open.Refresh(); err != nil {
			return err
		}
		snap, again = look(s.dir, s.open, &s.q, s.ended)
	}
	if snap.noLog && !s.begun {
		return ErrNoLog
	}
	if s.q.Tail != 0 {
		s.q.From = max(s.q.From, s.tail(ctx, snap))
		s.q.Tail = 0
		if snap.ring != nil {
			snap.ring.drop(s.q.From)
		}
	}
	s.forward(ctx, snap)
	s.q.From, s.ended = max(s.q.From, snap.next), snap.ended
	s.stats.Next, s.begun, s.broken = s.q.From, true, len(snap.broken)+len(snap.unread) > 0
	return nil
}

// forward gives the hits of a snapshot.
func (s *search) forward(ctx context.Context, snap *snapshot) {
	plan, from := &planner{q: &s.q, snap: snap}, s.q.From
	runPipe(ctx, s.q.parallel(), plan.forward, func(u *unit) bool {
		s.consume(u)
		s.tell(u.passed-min(from, u.passed), max(snap.next, from)-from)
		return !s.over
	})
	if !s.over && ctx.Err() == nil {
		s.rest(snap)
	}
	for _, c := range snap.broken {
		s.stats.corrupt(c)
	}
	s.stats.Segments += plan.segments
	s.stats.Blocks += plan.units
}

// rest gives the hits of the ring, or says that it cannot be read.
func (s *search) rest(snap *snapshot) {
	for _, c := range snap.unread {
		s.stats.corrupt(c)
	}
	if snap.ring != nil {
		s.consume(snap.ring)
	}
}

// consume gives the hits of a unit and counts what it took.
func (s *search) consume(u *unit) {
	given, goOn := u.give(&s.rec, s.left, s.yield)
	s.left -= given
	s.over = !goOn || s.left == 0
	if u.segment != nil && u.bytes > 0 {
		s.stats.BlocksRead++
	}
	s.stats.Hits += int64(given)
	s.stats.Records += u.records
	s.stats.Bytes += u.bytes
	for _, c := range u.corrupted {
		s.stats.corrupt(c)
	}
}

func (s *search) tell(done, total uint64) {
	if s.q.Progress != nil {
		s.q.Progress(int64(done), int64(total))
	}
}

// tail finds where the last q.Tail hits begin, by a search from the end. Nothing is kept of what it reads.
func (s *search) tail(ctx context.Context, snap *snapshot) uint64 {
	missing := s.q.Tail
	if missing < 0 {
		return snap.next
	}
	from := s.q.From
	count := func(u *unit) bool {
		if n := len(u.hits); n >= missing {
			from, missing = u.index(n-missing), 0
			return false
		}
		missing -= len(u.hits)
		return true
	}
	if snap.ring == nil || count(snap.ring) {
		runPipe(ctx, s.q.parallel(), (&planner{q: &s.q, snap: snap}).backward, count)
	}
	return from
}
