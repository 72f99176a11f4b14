//go:build linux

package crash

import (
	"strings"
	"testing"

	"vitrine/crash/provoke"
)

// answers are what dlv 1.27.2 prints of the core of a victim of class goroutine, cut.
func answers() map[string]string {
	return map[string]string{
		askCurrent: "Thread 71 at /usr/local/go/src/runtime/sys_linux_amd64.s:99\nGoroutine 22:\n\tRuntime: ...\n",
		askStack: " 0  0x00000000004965d5 in runtime.write1\n    at sys_linux_amd64.s:99\n\n" +
			" 9  0x0000000000454f17 in runtime.gopanic\n    at panic.go:860\n        e = interface {}(string) \"" + provoke.Value + "\"\n\n" +
			"10  0x00000000009da172 in vitrine/crash/provoke.hurt\n    at deaths.go:18\n",
		askAll:    "  Goroutine 36 - User: victim.go:87 vitrine/crash/provoke.wait (0x9dd0b5) [chan receive]\n",
		askPlayer: "*vitrine/crash/provoke.player {\n\tID: 42,\n\tName: \"player 42\",\n\tHP: -1,\n",
	}
}

func TestJudgeNamesWhatTheDebuggerDoesNotShow(t *testing.T) {
	class, err := provoke.Find("goroutine")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ask, old, new string // changed in the answer
		want          string // is part of the fault, "" = none
	}{
		"all is there":         {askStack, "", "", ""},
		"another goroutine":    {askCurrent, "Goroutine 22:", "Goroutine 1:", "not 22"},
		"no goroutine":         {askCurrent, "Goroutine 22:", "", "not 22"},
		"not on the stack":     {askStack, "provoke.hurt", "provoke.hurtError", "provoke.hurt is not"},
		"no value":             {askStack, provoke.Value, "optimized away", "does not show the value"},
		"value elsewhere":      {askStack, "runtime.gopanic", "runtime.printpanics", "does not show the value"},
		"players out of sight": {askPlayer, "HP: -1", "HP: 100", "player 42 is"},
		"goroutines missing":   {askAll, "provoke.wait ", "runtime.gopark ", "not among all"},
	} {
		shown := answers()
		shown[c.ask] = strings.Replace(shown[c.ask], c.old, c.new, 1)
		got := judge(&class, 22, shown)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: fault %q, want %q", name, got, c.want)
		}
	}
}

// The text of an error stands in the argument of gopanic alone.
func TestJudgeFindsTheTextOfAnError(t *testing.T) {
	class, err := provoke.Find("error")
	if err != nil {
		t.Fatal(err)
	}
	shown := answers()
	stack := strings.Replace(shown[askStack], `interface {}(string) "`+provoke.Value+`"`, "interface {}(*errors.errorString) 0xbeef000000000208", 1)
	shown[askStack] = strings.Replace(stack, "provoke.hurt", "provoke.hurtError", 1)
	if judge(&class, 22, shown) == "" {
		t.Error("no fault where no value is")
	}
	shown[askValue(1)] = `interface {}(string) "` + provoke.Value + `"`
	if got := judge(&class, 22, shown); got != "" {
		t.Errorf("fault %q where the value is", got)
	}
}
