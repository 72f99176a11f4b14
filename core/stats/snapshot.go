package stats

import (
	"iter"
	"math"
)

// Snapshot is what a histogram held at one moment. It is a value: copies are
// independent (8 KiB each) and the zero Snapshot is an empty histogram.
type Snapshot struct {
	Count uint64 // values added
	Sum   uint64 // of all values, wraps at 2^64
	Max   uint64 // the largest value; after Sub an upper bound

	counts [Buckets]uint64
}

// Bucket is one bucket that counts something: Count values in [Low, High].
type Bucket struct {
	Low, High, Count uint64
}

// Quantile returns the value below or at which the fraction q of the values
// lie (q 0.99 is p99; q is clamped to [0, 1]). It is never below the exact
// answer and at most 1/16 above it. An empty snapshot answers 0.
func (s *Snapshot) Quantile(q float64) uint64 {
	rank := s.rank(q)
	var seen uint64
	for b, n := range s.counts {
		if seen += n; n > 0 && seen >= rank {
			return min(bucketHigh(b), s.Max)
		}
	}
	return 0
}

// rank is the number of the value, from 1, that answers q.
func (s *Snapshot) rank(q float64) uint64 {
	if !(q > 0) {
		return 1
	}
	if q >= 1 {
		return s.Count
	}
	return max(1, uint64(math.Ceil(q*float64(s.Count))))
}

// Merge adds o to s, as if one histogram had seen the values of both.
func (s *Snapshot) Merge(o Snapshot) {
	for b, n := range o.counts {
		s.counts[b] += n
	}
	s.Count += o.Count
	s.Sum += o.Sum
	s.Max = max(s.Max, o.Max)
}

// Sub returns what was added after old was taken of the same histogram (or of
// the same merge). Max becomes the upper edge of the highest bucket left, at
// most 1/16 above the exact one.
func (s Snapshot) Sub(old Snapshot) Snapshot {
	out := Snapshot{Sum: s.Sum - old.Sum}
	for b := range s.counts {
		// A bucket never shrinks; old being the newer one must not wrap.
		if n := s.counts[b]; n > old.counts[b] {
			out.counts[b] = n - old.counts[b]
			out.Count += out.counts[b]
			out.Max = min(bucketHigh(b), s.Max)
		}
	}
	return out
}

// Cumulative returns, for each of the ascending bounds, how many values are at
// or below it, as Prometheus counts its "le" buckets. A bucket that a bound
// cuts is counted above it: the answer never calls a value faster than it was.
func (s *Snapshot) Cumulative(bounds []uint64) []uint64 {
	out := make([]uint64, len(bounds))
	var seen uint64
	b := 0
	for i, bound := range bounds {
		for ; b < Buckets && min(bucketHigh(b), s.Max) <= bound; b++ {
			seen += s.counts[b]
		}
		out[i] = seen
	}
	return out
}

// Buckets yields the buckets that count something, lowest first.
func (s *Snapshot) Buckets() iter.Seq[Bucket] {
	return func(yield func(Bucket) bool) {
		for b, n := range s.counts {
			if n > 0 && !yield(Bucket{bucketLow(b), bucketHigh(b), n}) {
				return
			}
		}
	}
}
