package main

import (
	"testing"
	"time"
)

func TestLatencyBucketsAreContiguousAndTight(t *testing.T) {
	for i := range len(latency{}.buckets) - 1 {
		end := bucketEnd(i)
		if got := bucketOf(end); got != i {
			t.Fatalf("bucket %d ends at %d, which lies in %d", i, end, got)
		}
		if got := bucketOf(end + 1); got != i+1 {
			t.Fatalf("%d follows bucket %d and lies in %d", end+1, i, got)
		}
	}
}

func TestLatencyQuantile(t *testing.T) {
	var l latency
	if got := l.quantile(.5); got != 0 {
		t.Errorf("median of nothing is %v", got)
	}
	for i := range 1000 {
		l.add(time.Duration(i+1) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{0: 1e3, .5: 500e3, .99: 990e3, 1: 1000e3} {
		if got := l.quantile(q); got < want || got > want+want/32 {
			t.Errorf("quantile %v is %v, want %v and at most 1/32 more", q, got, want)
		}
	}
}
