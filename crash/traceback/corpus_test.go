package traceback

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The files of testdata are what Go 1.26 printed for small programs, with their folders replaced.

// corpus is what each file says.
var corpus = []struct {
	file           string
	reason, signal string // the reason's first and last line where it has more
	goroutines     int
	crashed        uint64 // 0: none
	at             string // where: App's first function
	line           int
}{
	{"none", "panic: runtime error: invalid memory address or nil pointer dereference", "SIGSEGV", 0, 0, "", 0},
	{"single-goroutine", "panic: player 7 has hp -8", "", 1, 7, "main.(*player).hit", 23},
	{"all-panic", "panic: player 42 has hp -1", "", 5, 1, "main.(*player).hit", 23},
	{"system-panic", "panic: player 42 has hp -1", "", 10, 1, "main.(*player).hit", 23},
	{"crash-panic", "panic: player 42 has hp -1", "", 10, 1, "main.(*player).hit", 23},
	{"trimpath-labels", "panic: player 42 has hp -1", "", 5, 1, "main.(*player).hit", 23},
	{"system-labels", "panic: player 42 has hp -1", "", 10, 1, "main.(*player).hit", 23},
	{"ancestors", "panic: player 42 has hp -1", "", 4, 21, "main.(*player).hit", 23},
	{"error", "panic: open map: no such / \tfile", "", 1, 1, "main.main", 0},
	{"struct", "panic: (main.custom) 0x51ece0", "", 1, 1, "main.main", 0},
	{"word", "panic: main.word(\"two / \tlines\")", "", 1, 1, "main.main", 0},
	{"goexit", "panic: in goroutine", "", 1, 7, "main.main.func3", 96},
	{"repanic", "panic: first [recovered, repanicked]", "", 1, 1, "main.main", 0},
	{"nested", "panic: first / \tpanic: second", "", 1, 1, "main.main", 0},
	{"recovered", "panic: first / \tpanic: third", "", 1, 1, "main.main", 0},
	{"deferred", "panic: first / \tpanic: runtime error: invalid memory address or nil pointer dereference", "SIGSEGV", 1, 1, "main.main", 0},
	{"nil", "panic: runtime error: invalid memory address or nil pointer dereference", "SIGSEGV", 1, 1, "main.(*player).hit", 22},
	{"nilmap", "panic: assignment to entry in nil map", "", 1, 1, "main.main", 0},
	{"index", "panic: runtime error: index out of range [7] with length 1", "", 1, 1, "main.main", 0},
	{"address", "fatal error: fault", "SIGSEGV", 6, 1, "main.main", 0},
	{"mapwrites", "fatal error: concurrent map writes", "", 5, 10, "main.main.func9", 128},
	{"output-mapwrites", "", "", 10, 8, "main.main.func9", 128},
	{"unlock", "fatal error: sync: unlock of unlocked mutex", "", 1, 1, "internal/sync.(*Mutex).unlockSlow", 204},
	{"unlockpanic", "panic: first / \tfatal error: sync: unlock of unlocked mutex", "", 1, 1, "main.main", 0},
	{"deadlock", "fatal error: all goroutines are asleep - deadlock!", "", 1, 0, "", 0},
	{"stack", "fatal error: stack overflow", "", 6, 1, "main.endless", 66},
	{"oom", "fatal error: runtime: out of memory", "", 6, 1, "main.main", 0},
	{"output-oom", "", "", 6, 1, "main.main", 0},
	{"deep", "panic: deep", "", 1, 1, "main.deep", 60},
	{"cgofault", "SIGSEGV: segmentation violation", "SIGSEGV", 6, 1, "main._Cfunc_poke", 0},
	{"cgoabort", "SIGABRT: abort", "SIGABRT", 6, 1, "main._Cfunc_quit", 0},
	{"cgocallback", "panic: player 3 has hp -1", "", 1, 1, "main.(*player).hit", 23},
	{"cgo-named", "SIGSEGV: segmentation violation", "SIGSEGV", 6, 1, "poke", 12},
	{"cgo-unnamed", "SIGSEGV: segmentation violation", "SIGSEGV", 6, 1, "main._Cfunc_poke", 0},
	{"debugstack", "", "", 1, 1, "main.(*player).hit", 23},
	{"plainstack", "", "", 1, 1, "main.main.func14", 0},
	{"stackall", "", "", 6, 1, "main.main", 0},
	{"profile", "", "", 5, 1, "runtime/pprof.writeGoroutineStacks", 0},
	{"signal-quit", "SIGQUIT: quit", "SIGQUIT", 11, 0, "", 0},
	{"signal-running", "SIGQUIT: quit", "SIGQUIT", 13, 0, "", 0},
	{"signal-segv", "SIGSEGV: segmentation violation", "SIGSEGV", 11, 0, "", 0},
	{"signal-ill", "SIGILL: illegal instruction", "SIGILL", 11, 0, "", 0},
	{"crash-relay", "SIGQUIT: quit", "SIGQUIT", 15, 0, "", 0},
	{"minutes", "SIGQUIT: quit", "SIGQUIT", 15, 0, "", 0},
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDumpsSayWhatDied(t *testing.T) {
	for _, test := range corpus {
		t.Run(test.file, func(t *testing.T) {
			d := Parse(read(t, test.file))
			if got := ends(d.Reason); got != test.reason || d.Signal != test.signal || d.Cut {
				t.Errorf("reason %q, signal %q, cut %v", got, d.Signal, d.Cut)
			}
			if len(d.Goroutines) != test.goroutines {
				t.Errorf("%d goroutines, want %d", len(d.Goroutines), test.goroutines)
			}
			var id uint64
			var at Frame
			if g := d.Crashed(); g != nil {
				id, at = g.ID, g.App()[0]
			}
			if id != test.crashed || at.Func != test.at || test.line != 0 && at.Line != test.line {
				t.Errorf("goroutine %d died in %s:%d, want %d in %s:%d", id, at.Func, at.Line, test.crashed, test.at, test.line)
			}
		})
	}
}

func ends(reason string) string {
	lines := strings.Split(reason, "\n")
	if len(lines) == 1 {
		return reason
	}
	return lines[0] + " / " + lines[len(lines)-1]
}

func TestEveryFileOfTheCorpusIsTested(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) != len(corpus) {
		t.Errorf("%d files, %d tested, %v", len(files), len(corpus), err)
	}
}

// What a parsed dump holds, printed as the runtime prints it, is the text again: nothing is lost, nothing made up.
func TestNothingOfADumpIsLost(t *testing.T) {
	for _, test := range corpus {
		t.Run(test.file, func(t *testing.T) {
			text := string(read(t, test.file))
			d := Parse([]byte(text))
			frames := printed(d.Runtime)
			for i := range d.Goroutines {
				g := &d.Goroutines[i]
				frames += printed(g.Frames)
				if g.Created.Func != "" {
					frames += printedCreated(g)
				}
			}
			left := strings.Count(frames, "\n")
			for _, line := range stackLines(text) {
				if !strings.Contains(frames, line+"\n") {
					t.Errorf("lost: %s", line)
				}
				left--
			}
			if left != 0 && test.file != "crash-relay" { // other threads print some goroutines again
				t.Errorf("%d more lines in the dump than in the text:\n%s", left, frames)
			}
		})
	}
}

// register is a line below the stacks of a signal.
var register = regexp.MustCompile(`^(r[a-z0-9]+|cs|fs|gs) +0x`)

// stackLines are the lines of a text that belong to stacks, those of ancestors left out.
func stackLines(text string) (lines []string) {
	in := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "goroutine "), line == "runtime stack:":
			in = true
		case line == "", line[0] == '[', register.MatchString(line):
			in = false
		case in && !strings.HasSuffix(line, "frames elided...") && !strings.HasSuffix(line, "stack unavailable"):
			lines = append(lines, line)
		}
	}
	return lines
}

func printed(frames []Frame) string {
	var b strings.Builder
	for _, f := range frames {
		switch {
		case f.Func == nonGo && f.File == "":
			fmt.Fprintf(&b, "%s at pc=%#x\n", f.Func, f.PC)
			continue
		case f.SP == 0 && f.PC != 0 && f.Func == "poke":
			fmt.Fprintf(&b, "%s\n\t%s:%d pc=%#x\n", f.Func, f.File, f.Line, f.PC)
			continue
		case f.SP == 0 && f.PC != 0 && f.File != "":
			fmt.Fprintf(&b, "%s(%s)\n\t%s:%d pc=%#x\n", f.Func, f.Args, f.File, f.Line, f.PC)
			continue
		case f.SP == 0 && f.PC != 0:
			fmt.Fprintf(&b, "%s\n\tpc=%#x\n", f.Func, f.PC)
			continue
		}
		fmt.Fprintf(&b, "%s(%s)\n\t%s:%d", f.Func, f.Args, f.File, f.Line)
		if f.Offset != 0 {
			fmt.Fprintf(&b, " +%#x", f.Offset)
		}
		if f.SP != 0 {
			fmt.Fprintf(&b, " fp=%#x sp=%#x pc=%#x", f.FP, f.SP, f.PC)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func printedCreated(g *Goroutine) string {
	in := ""
	if g.Creator != 0 {
		in = fmt.Sprintf(" in goroutine %d", g.Creator)
	}
	return fmt.Sprintf("created by %s%s\n\t%s:%d +%#x\n", g.Created.Func, in, g.Created.File, g.Created.Line, g.Created.Offset)
}
