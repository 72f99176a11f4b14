//go:build linux

package crash

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"

	"vitrine/crash/provoke"
)

// The debugger's commands.
const (
	askCurrent = "goroutine"
	askStack   = "bt 60 -full"
	askAll     = "goroutines"
	askPlayer  = `print "vitrine/crash/provoke".players[42]`
)

// look opens the core of a bundle and says what a debugger does not show of what it should, "" when it shows all.
func (t *tools) look(ctx context.Context, program string, class *provoke.Class, o *provoke.Outcome) (string, error) {
	core, err := t.expand(ctx, o.Bundle)
	if err != nil {
		return "", err
	}
	defer os.Remove(core)
	defer os.Remove(core + ".commands")
	shown, err := t.debug(ctx, program, core, append([]string{askCurrent, askStack, askAll, askPlayer}, askValues()...)...)
	if err != nil {
		return "", err
	}
	return judge(class, o.Meta.Goroutine, shown), nil
}

// askValue asks for the value of a panic in one frame. When the runtime has printed an error it has replaced it by its text, and
// the argument of gopanic is no longer there.
func askValue(frame int) string { return fmt.Sprintf("frame %d print p.arg", frame) }

// askValues asks in each frame in which gopanic may be.
func askValues() []string {
	var all []string
	for i := range maxDepth {
		all = append(all, askValue(i))
	}
	return all
}

// maxDepth is how deep gopanic may be below what prints the panic.
const maxDepth = 24

var (
	currentID  = regexp.MustCompile(`(?m)^Goroutine (\d+):`)
	frameStart = regexp.MustCompile(`(?m)^ *\d+ +0x[0-9a-f]+ in `)
)

// judge says what is missing from the debugger's answers.
func judge(class *provoke.Class, panicker uint64, shown map[string]string) string {
	function := "provoke." + class.Function
	switch id := currentID.FindStringSubmatch(shown[askCurrent]); {
	case !strings.Contains(shown[askPlayer], "HP: -1"):
		return fmt.Sprintf("player 42 is %.100q", shown[askPlayer])
	case !strings.Contains(shown[askAll], "provoke.wait "):
		return "the goroutines of the players are not among all"
	case class.NoPanicker != "":
		if !strings.Contains(shown[askAll]+shown[askStack], class.Function) {
			return "no goroutine is in " + class.Function
		}
	case class.NoStack == "" && !strings.Contains(shown[askStack], " in vitrine/crash/"+function+"\n"):
		return fmt.Sprintf("%s is not on the current stack: %.200q", function, shown[askCurrent])
	case panicker != 0 && (id == nil || id[1] != fmt.Sprint(panicker)):
		return fmt.Sprintf("the current goroutine is %q, not %d", id, panicker)
	case class.Panics != "" && !strings.Contains(value(shown), class.Panics):
		return fmt.Sprintf("runtime.gopanic does not show the value %q", class.Panics)
	}
	return ""
}

// value returns what is shown in the frame of runtime.gopanic, "" when there is none.
func value(shown map[string]string) string {
	const function = "runtime.gopanic"
	stack := shown[askStack]
	starts := frameStart.FindAllStringIndex(stack, -1)
	for i, start := range starts {
		end := len(stack)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		if body := stack[start[1]:end]; strings.HasPrefix(body, function+"\n") {
			return body + shown[askValue(i)]
		}
	}
	return ""
}
