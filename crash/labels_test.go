package crash

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"testing"
)

func TestTracebacksShowLabels(t *testing.T) {
	for _, before := range []string{"", "panicnil=0"} {
		t.Setenv("GODEBUG", before)
		restore := labelTracebacks()
		var stack string
		pprof.Do(context.Background(), pprof.Labels("server", "chat-of-the-test"), func(context.Context) { stack = string(debug.Stack()) })
		if !strings.Contains(stack, "chat-of-the-test") {
			t.Errorf("GODEBUG %q: no label in\n%s", before, stack)
		}
		restore()
		if got := os.Getenv("GODEBUG"); got != before {
			t.Errorf("GODEBUG afterwards: got %q, want %q", got, before)
		}
	}
}

func TestTracebackLabelsMayBeOff(t *testing.T) {
	const off = "tracebacklabels=0"
	t.Setenv("GODEBUG", off)
	labelTracebacks()()
	if got := os.Getenv("GODEBUG"); got != off {
		t.Errorf("GODEBUG: got %q, want %q", got, off)
	}
}
