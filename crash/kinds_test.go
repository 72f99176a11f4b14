package crash

import (
	"testing"
	"time"
)

func TestOneOfAKindPerInterval(t *testing.T) {
	k := &kinds{every: time.Minute, hourly: 20}
	now := time.Unix(1_000_000, 0)
	type step struct {
		after  time.Duration
		key    uint64
		report bool
		before uint64
	}
	for i, s := range []step{
		{0, 1, true, 0}, {0, 1, false, 0}, {59 * time.Second, 1, false, 0}, {0, 2, true, 0},
		{time.Second, 1, true, 2}, {0, 1, false, 0}, {0, 1 + maxKinds, true, 0}, {0, 1 + maxKinds, false, 0},
	} {
		now = now.Add(s.after)
		report, before := k.first(s.key, now)
		if report != s.report || before != s.before {
			t.Errorf("step %d: got %v after %d, want %v after %d", i, report, before, s.report, s.before)
		}
	}
}

func TestPanicsOfManyKindsAreBounded(t *testing.T) {
	k := &kinds{every: time.Minute, hourly: 20}
	now := time.Unix(1_000_000, 0)
	reported := 0
	for key := range uint64(10_000) {
		if report, _ := k.first(key*7919, now); report {
			reported++
		}
	}
	if reported != 20 {
		t.Errorf("%d reported, want 20", reported)
	}
	if report, _ := k.first(3, now.Add(time.Hour)); !report {
		t.Error("nothing is reported in the next hour")
	}
}
