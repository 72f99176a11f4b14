package bundle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vitrine/crash/traceback"
)

// dumpOf makes a text in which player.go crashed at a line, and so many goroutines wait in each of some functions.
func dumpOf(line int, waiting map[string]int) *traceback.Dump {
	var b strings.Builder
	fmt.Fprintf(&b, "panic: it broke\n\ngoroutine 1 [running]:\nexample.com/game.hit(...)\n\t/game/player.go:%d +0x1d\nmain.main()\n\t/game/main.go:9 +0x1d\n", line)
	id := 2
	for name, n := range waiting {
		for range n {
			fmt.Fprintf(&b, "\ngoroutine %d [select]:\nexample.com/game.%s(0x%x)\n\t/game/loop.go:%d +0x2\n", id, name, id, 7)
			id++
		}
	}
	return traceback.Parse([]byte(b.String()))
}

func TestDiffTellsWhatDiffers(t *testing.T) {
	a, b := fullMeta(), fullMeta()
	b.ID, b.Time, b.Process.PID, b.Timings.StopUS = "other", noon.Add(time.Hour), 5, 99 // these differ always
	at, bt := dumpOf(42, map[string]int{"poll": 3, "tick": 1}), dumpOf(42, map[string]int{"poll": 3, "tick": 1})
	if d := Diff(a, b, at, bt); d != nil {
		t.Errorf("of two alike: %v", d)
	}
	b.Class, b.Exit, b.Where.Worker, b.Where.Packet = ClassFatal, nil, 0, 0
	b.Build.Revision = "4567"
	b.Capabilities = map[string]string{"ptrace": "no", "yama": "1"}
	b.Dropped = nil
	want := []Difference{
		{"class", "goroutine", "fatal"}, {"exit", "SIGABRT", ""}, {"revision", "0123abcd", "4567"}, {"worker", "3", "0"}, {"packet", "1001", ""},
		{"capability ptrace", "yes", "no"}, {"capability yama", "", "1"}, {"dropped notes", "3", ""},
	}
	if d := Diff(a, b, at, nil); !slices.Equal(d, want) {
		t.Errorf("got  %v\nwant %v", d, want)
	}
	bt = dumpOf(43, map[string]int{"poll": 1, "stuck": 10})
	want = []Difference{
		{"frame 0", "example.com/game.hit /game/player.go:42", "example.com/game.hit /game/player.go:43"},
		{"goroutines [select] in example.com/game.stuck", "", "10"}, {"goroutines [select] in example.com/game.poll", "3", "1"},
		{"goroutines [select] in example.com/game.tick", "1", ""},
	}
	if d := Diff(a, a, at, bt); !slices.Equal(d, want) {
		t.Errorf("got  %v\nwant %v", d, want)
	}
}

func TestDiffIsBounded(t *testing.T) {
	many := map[string]int{}
	for i := range 500 {
		many[fmt.Sprintf("f%d", i)] = 1
	}
	d := Diff(fullMeta(), fullMeta(), dumpOf(1, nil), dumpOf(1, many))
	if last := d[len(d)-1]; len(d) != maxStackDiffs+1 || last.B != "460" {
		t.Errorf("%d differences, the last %v", len(d), last)
	}
	if d := Diff(&Meta{}, &Meta{}, &traceback.Dump{}, &traceback.Dump{}); d != nil {
		t.Errorf("of nothing: %v", d)
	}
}
