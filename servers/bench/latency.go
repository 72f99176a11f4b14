package main

import (
	"math/bits"
	"time"
)

// subBits gives 32 buckets an octave.
const subBits = 5

// latency is a log-linear histogram of nanoseconds; it holds to 1/32 and is
// owned by one goroutine. The zero value is empty.
type latency struct {
	buckets [(64 - subBits + 1) << subBits]uint64
	count   uint64
	longest time.Duration
}

func (l *latency) add(d time.Duration) {
	l.buckets[bucketOf(uint64(max(d, 0)))]++
	l.count++
	l.longest = max(l.longest, d)
}

// quantile returns the upper end of the bucket that holds the q-th part of the
// samples, 0 <= q <= 1, and 0 when there are none.
func (l *latency) quantile(q float64) time.Duration {
	want := max(uint64(q*float64(l.count)+0.5), 1)
	var seen uint64
	for i, n := range l.buckets {
		if seen += n; seen >= want {
			return min(time.Duration(bucketEnd(i)), l.longest)
		}
	}
	return 0
}

// bucketOf keeps the leading one and the subBits after it:
//
//	index = octave << subBits | the bits after the leading one
func bucketOf(v uint64) int {
	shift := bits.Len64(v>>subBits) - 1
	if shift <= 0 {
		return int(v) // Below 2 octaves every value has a bucket of its own.
	}
	return shift<<subBits + int(v>>shift)
}

// bucketEnd returns the largest value of a bucket.
func bucketEnd(i int) uint64 {
	shift := i>>subBits - 1
	if shift <= 0 {
		return uint64(i)
	}
	return uint64(i-shift<<subBits+1)<<shift - 1
}
