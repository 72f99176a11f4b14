package crash

import (
	"errors"
	"strings"
	"testing"
)

type named string

type slow struct{ wait chan int }

func (s slow) String() string { <-s.wait; return "at last" }

type bad struct{}

func (bad) Error() string { panic("no text") }

// What a program panics with is printed without walking through it.
func TestValuesArePrintedAsTheRuntimeDoes(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	wait := make(chan int)
	defer close(wait)
	for _, test := range []struct {
		value any
		want  string
	}{
		{"text", "text"}, {named("text"), "text"}, {-3, "-3"}, {uint8(7), "7"}, {true, "true"}, {1.5, "1.5"},
		{errors.New("an error"), "an error"}, {cycle, "(map[string]interface {})"}, {struct{ p *int }{}, "(struct { p *int })"},
		{slow{wait}, "(crash.slow) whose text takes too long"}, {bad{}, "(crash.bad) whose text panics"}, {nil, "(<nil>)"},
		{strings.Repeat("x", 2*maxValue), strings.Repeat("x", maxValue)},
	} {
		if got := printed(test.value); got != test.want {
			t.Errorf("%T: %q, want %q", test.value, got, test.want)
		}
	}
}

func TestTracebacksSayLessOfMore(t *testing.T) {
	for _, test := range []struct {
		goroutines int
		stacks     uint64
		want       string
	}{
		{10, 0, "system"}, {systemGoroutines + 1, 0, "all"}, {10, systemStacks + 1, "all"}, {allGoroutines + 1, 0, "single"},
		{10, allStacks + 1, "single"},
	} {
		if got := level(test.goroutines, test.stacks); got != test.want {
			t.Errorf("%d goroutines, %d bytes: %s, want %s", test.goroutines, test.stacks, got, test.want)
		}
	}
}
