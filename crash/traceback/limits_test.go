//go:build !race

// One goroutine alone works here, on so much text that the race detector takes a minute for it.

package traceback

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	long := strings.Repeat("a", lineBytes+1)
	labels := strings.Repeat(`"%d": "v", `, maxLabels+1)
	for i := range maxLabels + 1 {
		labels = strings.Replace(labels, "%d", fmt.Sprint(i), 1)
	}
	many := "goroutine 1 [running]:\n" + strings.Repeat("main.f()\n\t/a.go:1\n", maxFrames+1)
	for _, test := range []struct {
		name, text string
		cut        bool
	}{
		{"line", long, true},
		{"reason", "panic: " + strings.Repeat("\n\tx", reasonBytes), true},
		{"labels", "goroutine 1 [running labels:{" + labels + "}]:\n", true},
		{"label", `goroutine 1 [running labels:{"` + long[:labelBytes*2] + `": "v"}]:`, false},
		{"broken labels", `goroutine 1 [running labels:{"a: "v"}]:`, true},
		{"frames", many, true},
		{"just frames", many[:len(many)-len("main.f()\n\t/a.go:1\n")], false},
		{"goroutines", strings.Repeat("goroutine 1 [idle]:\n", maxGoroutines+1), true},
		{"all frames", strings.Repeat(many, maxAllFrames/maxFrames+1), true},
	} {
		d := Parse([]byte(test.text))
		frames := 0
		for _, g := range d.Goroutines {
			frames += len(g.Frames)
			if len(g.Frames) > maxFrames || len(g.Labels) > maxLabels {
				t.Errorf("%s: %d frames, %d labels", test.name, len(g.Frames), len(g.Labels))
			}
			for key := range g.Labels {
				if len(key) > labelBytes {
					t.Errorf("%s: a label of %d bytes", test.name, len(key))
				}
			}
		}
		if d.Cut != test.cut && test.name != "all frames" || len(d.Goroutines) > maxGoroutines || len(d.Reason) > reasonBytes {
			t.Errorf("%s: cut %v, %d goroutines, %d frames, reason of %d bytes", test.name, d.Cut, len(d.Goroutines), frames, len(d.Reason))
		}
	}
}

// Frames that are all different are dropped beyond the limit.
func TestFramesHaveALimitInAll(t *testing.T) {
	var b bytes.Buffer
	for i := range maxAllFrames/maxFrames + 10 {
		b.WriteString("goroutine 1 [idle]:\n" + strings.Repeat(fmt.Sprintf("f\n\t/a:%d\n", i), maxFrames))
	}
	d := Parse(b.Bytes())
	distinct := map[*Frame]bool{}
	for _, g := range d.Goroutines {
		if len(g.Frames) > 0 {
			distinct[&g.Frames[0]] = true
		}
	}
	if len(distinct) != maxAllFrames/maxFrames || !d.Cut {
		t.Errorf("%d stacks of %d frames, cut %v", len(distinct), maxFrames, d.Cut)
	}
}

// The bound on time is wide for slow machines; the benchmark gives the figure.
func TestManyGoroutines(t *testing.T) {
	if testing.Short() {
		t.Skip("a dump of 100 MB")
	}
	text := crowd(100_000, 50)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	d := Parse(text)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if len(d.Goroutines) != 100_000 || took > 20*time.Second {
		t.Errorf("%d goroutines in %v", len(d.Goroutines), took)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2*uint64(len(text)) {
		t.Errorf("%d MB allocated for a text of %d MB", allocated>>20, len(text)>>20)
	}
	if n := len(AppendJSON(nil, d)); n > 256<<10 {
		t.Errorf("%d KB of JSON for 50 stacks", n>>10)
	}
}
