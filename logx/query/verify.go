package query

import (
	"context"
	"errors"
	"fmt"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// MaxGaps bounds each list of a Report; what is beyond it is counted.
const MaxGaps = 1000

// Gap is a run of indexes, both ends included.
type Gap struct{ From, To uint64 }

// Report is what a whole log holds and what is wrong with it.
type Report struct {
	Segments    int
	Records     uint64 // that are whole
	First, Last uint64 // indexes of the first and the last of them; 0 in a log without records
	Bytes       int64  // of data, uncompressed

	Gaps       []Gap        // runs of indexes between segments that are in none
	GapCount   int          // of all
	Duplicates []Gap        // runs of indexes that are in two segments
	Duplicated uint64       // records in them
	Lost       uint64       // records that were there and cannot be read
	Corrupt    []Corruption // what is not as its writer left it, and what a recovery has set aside
	Corrupted  int          // of all
	Asides     []Aside      // the first MaxCorruptions files that keep what a recovery took out of the log

	Tombstones uint64 // records that stand for those whose caller was killed while it wrote
	Dropped    uint64 // records that tell how many were dropped before them
	Torn       int64  // bytes behind the last record, which the next writer cuts
	Pending    uint64 // records in the ring of a dead writer, which the next writer puts in a file
	Unindexed  int    // sealed segments without their block index: slow to search, but complete
}

// Aside is a file that keeps what a recovery took out of the log because it was damaged, and what is whole in it.
type Aside struct {
	segment.Aside
	segment.Salvage
}

// Clean tells whether nothing is missing, twice there or damaged. What the last fields count is in order.
func (r *Report) Clean() bool {
	return r.GapCount == 0 && r.Duplicated == 0 && r.Lost == 0 && r.Corrupted == 0
}

// Verify reads a whole log: every checksum, block indexes and postings against the data, and the indexes of all records
// for gaps and duplicates. The writer may live; what it writes meanwhile may be left out. A log may begin with any index:
// retention removes what is old. progress, which may be nil, is told how many bytes of how many were read.
//
// It blocks for as long as that takes, about a second per GB, and holds one block. Errors are those of the directory, as
// Search has them, of reading, and of ctx; what is wrong with the content is in the report.
func Verify(ctx context.Context, dir string, progress func(done, total int64)) (Report, error) {
	v := verification{progress: progress}
	if err := v.run(ctx, dir); err != nil {
		return v.report, fmt.Errorf("verify log %q: %w", dir, err)
	}
	return v.report, nil
}

// verification is one call of Verify.
type verification struct {
	progress    func(done, total int64)
	done, total int64
	next        uint64 // the index that is due; 0 before the first segment
	lost        uint64 // base of the first segment of which something was set aside; 0 = none
	report      Report
}

func (v *verification) run(ctx context.Context, dir string) error {
	d, err := segment.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	for _, s := range d.Segments() {
		data, _ := s.Bytes()
		v.total += data
	}
	if err := v.leftovers(ctx, d); err != nil {
		return err
	}
	var types *record.Types
	for _, s := range d.Segments() {
		err := v.segment(ctx, s)
		if err != nil && !errors.Is(err, segment.ErrRemoved) {
			return err
		}
		types = s.Types()
	}
	return v.ring(dir, types)
}

// leftovers adds what damage has left beside the segments.
func (v *verification) leftovers(ctx context.Context, d *segment.Dir) error {
	for _, a := range d.Asides() {
		found, err := d.Salvage(ctx, a)
		if errors.Is(err, segment.ErrRemoved) {
			continue
		}
		if err != nil {
			return err
		}
		if v.lost == 0 {
			v.lost = a.Base
		}
		if len(v.report.Asides) < MaxCorruptions {
			v.report.Asides = append(v.report.Asides, Aside{a, found})
		}
		v.corrupt(Corruption{Segment: a.Base, File: a.Name, Offset: -1, Err: asideError(&a, &found)})
	}
	for _, o := range d.Orphans() {
		v.corrupt(orphanCorruption(o))
	}
	return nil
}

// asideError says what a recovery has set aside.
func asideError(a *segment.Aside, found *segment.Salvage) error {
	if found.Records == 0 {
		return fmt.Errorf("%w: %d bytes of damaged log lie aside, no whole record among them", segment.ErrCorrupt, a.Bytes)
	}
	return fmt.Errorf("%w: %d bytes of damaged log lie aside, %d whole records among them, indexes %d to %d",
		segment.ErrCorrupt, a.Bytes, found.Records, found.First, found.Last)
}

// segment adds what one segment holds.
func (v *verification) segment(ctx context.Context, s *segment.Segment) error {
	data, _ := s.Bytes()
	end := v.done + data
	found, err := s.Verify(ctx, v.passed)
	if err != nil {
		return err
	}
	v.passed(end - v.done)
	r := &v.report
	r.Segments++
	r.Records += found.Records
	r.Bytes += found.Bytes
	r.Lost += found.Lost
	r.Tombstones += found.Tombstones
	r.Dropped += found.Dropped
	r.Torn += found.Torn
	if found.Sealed && found.NoIndex {
		r.Unindexed++
	}
	for _, p := range found.Problems {
		v.corrupt(Corruption{Segment: s.Base(), File: p.File, Offset: p.Offset, Err: p.Err})
	}
	r.Corrupted += found.More
	if found.Records > 0 || found.Lost > 0 {
		v.follows(s.Base(), max(found.Last+1, s.End(), s.Base()))
	}
	return nil
}

// follows takes note of the records first..end-1, which should begin with the one that is due.
func (v *verification) follows(first, end uint64) {
	r := &v.report
	switch {
	case v.next == 0:
		r.First = first
		if v.lost > 0 && v.lost < first {
			v.gap(v.lost, first-1)
		}
	case first > v.next:
		v.gap(v.next, first-1)
	case first < v.next:
		v.duplicate(first, min(v.next, end)-1)
	}
	v.next = max(v.next, end)
	r.Last = v.next - 1
}

// ring adds what the last writer left.
func (v *verification) ring(dir string, types *record.Types) error {
	due := max(v.next, 1)
	rest, err := readRemainder(dir, due, &Query{}, types, place{})
	if err != nil {
		return err
	}
	if v.report.Segments+v.report.Corrupted == 0 && rest.next == due && !rest.living {
		return ErrNoLog
	}
	if rest.next == due || rest.moved {
		return nil
	}
	if rest.first > due && v.next > 0 {
		v.gap(due, rest.first-1)
	}
	v.report.Pending = rest.next - rest.first
	return nil
}

func (v *verification) gap(from, to uint64) {
	v.report.GapCount++
	if len(v.report.Gaps) < MaxGaps {
		v.report.Gaps = append(v.report.Gaps, Gap{from, to})
	}
}

func (v *verification) duplicate(from, to uint64) {
	v.report.Duplicated += to - from + 1
	if len(v.report.Duplicates) < MaxGaps {
		v.report.Duplicates = append(v.report.Duplicates, Gap{from, to})
	}
}

func (v *verification) corrupt(c Corruption) {
	v.report.Corrupted++
	if len(v.report.Corrupt) < MaxCorruptions {
		v.report.Corrupt = append(v.report.Corrupt, c)
	}
}

// passed is told of bytes that were read.
func (v *verification) passed(bytes int64) {
	v.done += bytes
	if v.progress != nil {
		v.progress(min(v.done, v.total), v.total)
	}
}
