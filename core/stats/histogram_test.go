package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func TestBucketsTileTheWholeRange(t *testing.T) {
	next := uint64(0)
	for b := range Buckets {
		low, high := bucketLow(b), bucketHigh(b)
		if low != next || high < low {
			t.Fatalf("bucket %d is [%d, %d], want it to start at %d", b, low, high, next)
		}
		if width := high - low; width > low/16 {
			t.Errorf("bucket %d: [%d, %d] is wider than 1/16", b, low, high)
		}
		for _, v := range []uint64{low, low + (high-low)/2, high} {
			if got := bucketOf(v); got != uint(b) {
				t.Errorf("bucketOf(%d) = %d, want %d", v, got, b)
			}
		}
		next = high + 1
	}
	if next != 0 {
		t.Errorf("the last bucket ends at %d", next-1)
	}
}

// distributions are shapes that durations take, and edges.
var distributions = map[string]func(*rand.Rand) uint64{
	"uniform":     func(r *rand.Rand) uint64 { return r.Uint64N(1_000_000) },
	"exponential": func(r *rand.Rand) uint64 { return uint64(r.ExpFloat64() * 20_000) },
	"lognormal":   func(r *rand.Rand) uint64 { return uint64(math.Exp(r.NormFloat64()*2 + 9)) },
	"small":       func(r *rand.Rand) uint64 { return r.Uint64N(20) },
	"two modes":   func(r *rand.Rand) uint64 { return 100 + r.Uint64N(2)*5_000_000 },
	"whole range": func(r *rand.Rand) uint64 { return r.Uint64() >> r.UintN(64) },
	"zero":        func(*rand.Rand) uint64 { return 0 },
}

func TestQuantilesAreWithinOneSixteenthAboveTheExactOnes(t *testing.T) {
	for name, draw := range distributions {
		random := rand.New(rand.NewPCG(1, 2))
		h := NewHistogram()
		exact := make([]uint64, 20_001)
		for i := range exact {
			exact[i] = draw(random)
			h.Add(exact[i])
		}
		h.Publish()
		slices.Sort(exact)
		s := h.Snapshot()
		for _, q := range []float64{-1, 0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1, 2, math.NaN()} {
			want, got := exactQuantile(exact, q), s.Quantile(q)
			if got < want || got-want > want/16 {
				t.Errorf("%s: quantile %v is %d, exactly %d", name, q, got, want)
			}
		}
		if s.Max != exact[len(exact)-1] || s.Count != uint64(len(exact)) {
			t.Errorf("%s: max %d count %d", name, s.Max, s.Count)
		}
	}
}

func exactQuantile(sorted []uint64, q float64) uint64 {
	if math.IsNaN(q) || q < 0 {
		q = 0
	}
	i := int(math.Ceil(min(q, 1)*float64(len(sorted)))) - 1
	return sorted[max(i, 0)]
}

func TestCumulativeNeverCallsAValueFasterThanItWas(t *testing.T) {
	bounds := []uint64{0, 5, 16, 1000, 1 << 20, 1 << 40, math.MaxUint64}
	for name, draw := range distributions {
		random := rand.New(rand.NewPCG(3, 4))
		h := NewHistogram()
		var all []uint64
		for range 5000 {
			v := draw(random)
			all = append(all, v)
			h.Add(v)
		}
		h.Publish()
		s := h.Snapshot()
		for i, got := range s.Cumulative(bounds) {
			var atMost, wellBelow uint64
			for _, v := range all {
				if v <= bounds[i] {
					atMost++
				}
				if v <= bounds[i]-bounds[i]/16 {
					wellBelow++
				}
			}
			if got > atMost || got < wellBelow {
				t.Errorf("%s: %d at or below %d, want %d to %d", name, got, bounds[i], wellBelow, atMost)
			}
		}
	}
}

func TestSnapshotsAddAndSubtract(t *testing.T) {
	a, b := NewHistogram(), NewHistogram()
	for v := range uint64(1000) {
		a.Add(v)
		b.AddN(v*1000, 2)
	}
	a.Publish()
	b.Publish()
	before := a.Snapshot()
	both := before
	both.Merge(b.Snapshot())
	if both.Count != 3000 || both.Max != 999_000 || both.Sum != 499_500+2*499_500_000 {
		t.Errorf("merged: count %d max %d sum %d", both.Count, both.Max, both.Sum)
	}
	a.AddN(500, 7)
	a.Publish()
	diff := a.Snapshot().Sub(before)
	if diff.Count != 7 || diff.Sum != 3500 || diff.Max < 500 || diff.Max > 500+500/16 {
		t.Errorf("difference: count %d sum %d max %d", diff.Count, diff.Sum, diff.Max)
	}
	if got := diff.Quantile(0.5); got < 500 || got > 500+500/16 {
		t.Errorf("median of the difference: %d", got)
	}
	if empty := before.Sub(a.Snapshot()); empty.Count != 0 {
		t.Errorf("the wrong way round: count %d", empty.Count)
	}
	n := uint64(0)
	for bucket := range diff.Buckets() {
		n += bucket.Count
		if bucket.Low > 500 || bucket.High < 500 {
			t.Errorf("bucket %+v", bucket)
		}
	}
	if n != 7 {
		t.Errorf("buckets count %d", n)
	}
}

func TestAnEmptySnapshotAnswersZero(t *testing.T) {
	var s Snapshot
	if s.Quantile(0.99) != 0 || s.Cumulative([]uint64{5})[0] != 0 {
		t.Error("not zero")
	}
	for b := range s.Buckets() {
		t.Errorf("bucket %+v", b)
	}
}

func TestNothingShowsBeforePublish(t *testing.T) {
	h := NewHistogram()
	h.Add(9)
	if s := h.Snapshot(); s.Count != 0 {
		t.Errorf("count %d", s.Count)
	}
	h.AddN(1_000_000, 0)
	h.Publish()
	if s := h.Snapshot(); s.Count != 1 || s.Max != 9 || s.Sum != 9 {
		t.Errorf("count %d max %d sum %d", s.Count, s.Max, s.Sum)
	}
}

// Every bucket a reader sees only grows, and Max bounds what it saw.
func TestSnapshotsWhileTheOwnerWorks(t *testing.T) {
	h, stop := NewHistogram(), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		random := rand.New(rand.NewPCG(5, 6))
		for {
			select {
			case <-stop:
				return
			default:
			}
			for range 10 {
				h.Add(random.Uint64N(1 << 30))
			}
			h.Publish()
		}
	})
	var last Snapshot
	for range 2000 {
		s := h.Snapshot()
		if s.Count < last.Count || s.Sub(last).Count != s.Count-last.Count {
			t.Fatalf("count %d after %d", s.Count, last.Count)
		}
		for b := range s.Buckets() {
			if b.Low > s.Max {
				t.Fatalf("max %d, but %d values in [%d, %d]", s.Max, b.Count, b.Low, b.High)
			}
		}
		last = s
	}
	close(stop)
	wg.Wait()
}

func TestOwnersCallsDoNotAllocate(t *testing.T) {
	h, s := NewHistogram(), NewShard[counters]()
	if n := testing.AllocsPerRun(100, func() {
		h.Add(7)
		h.AddN(1<<40, 3)
		h.Publish()
		s.Local.Packets++
		s.Publish()
		s.Snapshot()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHistogramAdd(b *testing.B) {
	h, v := NewHistogram(), uint64(1)
	for b.Loop() {
		v = v*2862933555777941757 + 3037000493
		h.Add(v >> 44)
	}
}

func BenchmarkHistogramPublish(b *testing.B) {
	h := NewHistogram()
	for b.Loop() {
		h.Add(900)
		h.Add(1100)
		h.Publish()
	}
}
