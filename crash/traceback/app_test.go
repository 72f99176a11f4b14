package traceback

import (
	"encoding/json"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func stack(names ...string) (frames []Frame) {
	for i, name := range names {
		frames = append(frames, Frame{Func: name, File: "/a.go", Line: i})
	}
	return frames
}

func TestAppIsWhereItHappened(t *testing.T) {
	for _, test := range []struct {
		stack, want string
	}{
		{"main.f main.g", "main.f main.g"},
		{"runtime/debug.Stack vitrine/crash.report vitrine/crash.Guard.func1 panic main.f vitrine/crash.Guard main.main", "main.f vitrine/crash.Guard main.main"},
		{"runtime/debug.Stack vitrine/crash.Live vitrine/core/engine.(*worker).turn", "vitrine/core/engine.(*worker).turn"},
		{"runtime.gopanic runtime.panicmem runtime.sigpanic main.f", "main.f"},
		{"vitrine/core/engine.recovered runtime.gopanic runtime.goPanicIndex main.f", "main.f"},
		{"runtime.fatal internal/runtime/maps.fatal runtime.mapassign_fast64 main.f", "main.f"},
		{"runtime.throw runtime.sigpanic main.f runtime.main", "main.f runtime.main"},
		{"internal/sync.fatal internal/sync.(*Mutex).unlockSlow main.f", "internal/sync.(*Mutex).unlockSlow main.f"},
		{"main.func2 panic main.func1 panic main.f", "main.f"},
		{"runtime.gopark runtime.chanrecv1 main.f", "main.f"},
		{"vitrine/crash.Guard.func1 panic vitrine/crash.broken main.f", "vitrine/crash.broken main.f"},
		{"runtime.gopark runtime.bgsweep runtime.goexit", "runtime.gopark runtime.bgsweep runtime.goexit"},
		{"non-Go function runtime.cgocall main._Cfunc_poke", "main._Cfunc_poke"},
		{"abort poke runtime.cgocall main._Cfunc_poke", "abort poke runtime.cgocall main._Cfunc_poke"},
	} {
		g := Goroutine{Frames: stack(strings.Fields(test.stack)...)}
		if test.stack == "non-Go function runtime.cgocall main._Cfunc_poke" {
			g.Frames = append([]Frame{{Func: nonGo}}, stack("runtime.cgocall", "main._Cfunc_poke")...)
		}
		if got := strings.Join(functions(g.App()), " "); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.stack, got, test.want)
		}
	}
	if len((&Goroutine{}).App()) != 0 {
		t.Error("no frames have a place")
	}
}

func TestInApp(t *testing.T) {
	for name, want := range map[string]bool{
		"main.main": true, "main.(*T[...]).f": true, "vitrine/core/engine.(*worker).turn": true, "github.com/a/b.f": true,
		"gopkg.in/yaml%2ev3.f": true, "golang.org/x/sys/unix.Read": true, "game.f": true,
		"runtime.gopark": false, "panic": false, "sync.(*Mutex).Lock": false, "net/http.(*conn).serve": false, "internal/poll.(*FD).Read": false,
		"vendor/golang.org/x/net/dns.f": false, "type:.eq.main.T": false, "poke": false, nonGo: false, "": false, "crypto/internal/fips140/sha256.f": false,
		"slices.SortFunc[go.shape.[]main.T]": false,
	} {
		if got := InApp(Frame{Func: name}); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The list of the standard library is that of the Go that tests this.
func TestTheStandardLibraryIsKnown(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join(build.Default.GOROOT, "src"))
	if err != nil {
		t.Skip(err)
	}
	for _, d := range folders {
		if d.IsDir() && d.Name() != "testdata" && InApp(Frame{Func: d.Name() + ".f"}) {
			t.Errorf("%s is of the program", d.Name())
		}
	}
}

func TestPackages(t *testing.T) {
	for name, want := range map[string]string{
		"main.f": "main", "vitrine/core/engine.(*worker).turn": "vitrine/core/engine", "gopkg.in/yaml%2ev3.f": "gopkg.in/yaml%2ev3",
		"a/b.F[c/d.E]": "a/b", "main.F[...].func1": "main", "panic": "", "poke": "",
	} {
		if got := (Frame{Func: name}).Package(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestThrowNamesTheTextInMemory(t *testing.T) {
	for _, test := range []struct {
		file   string
		want   Throw
		exists bool
	}{
		{"output-mapwrites", Throw{Pointer: 0x516794, Length: 0x15, FP: 0xbda5e94d718, SP: 0xbda5e94d6d8}, true},
		{"all-panic", Throw{}, false},
		{"system-panic", Throw{}, false},
	} {
		if got, ok := Parse(read(t, test.file)).Throw(); got != test.want || ok != test.exists {
			t.Errorf("%s: got %x %v", test.file, got, ok)
		}
	}
	for _, file := range []string{"stack", "output-oom", "oom", "address"} {
		if got, ok := Parse(read(t, file)).Throw(); !ok || got.Pointer>>16 != 0x51 || got.FP <= got.SP || got.SP == 0 {
			t.Errorf("%s: got %x %v", file, got, ok)
		}
	}
	for _, file := range []string{"mapwrites", "unlock"} {
		if got, ok := Parse(read(t, file)).Throw(); !ok || got.Pointer>>16 != 0x51 || got.SP != 0 {
			t.Errorf("%s: got %x %v", file, got, ok)
		}
	}
	for args, want := range map[string]bool{"{0x1, 0x2}": true, "{0x1?, 0x2?}": true, "...": false, "": false, "{0x0, 0x5}": false, "0x1, 0x2": false, "{0x1}": false, "{": false} {
		d := Dump{Goroutines: []Goroutine{{Frames: []Frame{{Func: "runtime.throw", Args: args}}}}}
		if _, ok := d.Throw(); ok != want {
			t.Errorf("%q: %v", args, ok)
		}
	}
}

func TestFingerprintOutlivesARebuild(t *testing.T) {
	const hit = "main.(*player).hit main.main"
	base := Fingerprint("panic", stack(strings.Fields(hit)...))
	if len(base) != 16 || strings.Trim(base, "0123456789abcdef") != "" {
		t.Errorf("%q is not 16 hexadecimal digits", base)
	}
	same := []string{
		"runtime/debug.Stack vitrine/crash.report panic main.(*player).hit main.main",
		"vitrine/servers/observe.onPanic vitrine/core/engine.recovered panic main.(*player).hit main.main",
		"runtime.gopanic main.(*player).hit main.main runtime.main runtime.goexit",
		"main.(*player).hit sync.(*Once).Do main.main",
	}
	for _, s := range same {
		frames := stack(strings.Fields(s)...)
		for i := range frames {
			frames[i].Line += 1000
			frames[i].Args, frames[i].PC = "0x1", 7
		}
		if Fingerprint("panic", frames) != base {
			t.Errorf("%s: another fingerprint", s)
		}
	}
	other := []string{"main.main main.(*player).hit", "main.(*player).hit", "main.(*player).hitmain.main", "runtime.gopark", ""}
	for _, s := range other {
		if Fingerprint("panic", stack(strings.Fields(s)...)) == base {
			t.Errorf("%q: the same fingerprint", s)
		}
	}
	if Fingerprint("fatal", stack(strings.Fields(hit)...)) == base {
		t.Error("the kind does not count")
	}
	if Fingerprint("x", stack("runtime.f")) == Fingerprint("x", stack("runtime.g")) {
		t.Error("stacks of the runtime alone are one")
	}
	nine := strings.Fields("a.a a.b a.c a.d a.e a.f a.g a.h")
	if Fingerprint("x", stack(append(nine, "a.i")...)) != Fingerprint("x", stack(append(nine, "a.j")...)) {
		t.Error("the ninth function counts")
	}
	if want := "13978951a099ea8a"; base != want {
		t.Errorf("%s, want %s: fingerprints of earlier crashes are lost", base, want)
	}
}

func TestProgramCountersTellKindsApart(t *testing.T) {
	seen := map[uint64]string{}
	for _, kind := range []string{"", "panic", "hang"} {
		for a := uintptr(0x400000); a < 0x400000+2000; a += 5 {
			for _, pcs := range [][]uintptr{{a}, {a, 0x47b2a1}, {0x47b2a1, a}} {
				name, h := fmt.Sprint(kind, pcs), ProgramCounters(kind, pcs)
				if seen[h] != "" {
					t.Fatalf("%s and %s are one", name, seen[h])
				}
				seen[h] = name
			}
		}
	}
	var pcs [32]uintptr
	n := runtime.Callers(1, pcs[:])
	if allocs := testing.AllocsPerRun(100, func() { ProgramCounters("panic", pcs[:n]) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkProgramCounters(b *testing.B) {
	var pcs [32]uintptr
	n := runtime.Callers(1, pcs[:])
	for b.Loop() {
		ProgramCounters("panic", pcs[:n])
	}
}

func TestGroupsAreByStateAndStack(t *testing.T) {
	f, g := stack("main.f"), stack("main.g")
	label := func(kv ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	got := Group([]Goroutine{
		{ID: 1, State: "running", Frames: f},
		{ID: 2, State: "select", Frames: f, Labels: label("a", "1", "b", "1")},
		{ID: 3, State: "select", Frames: g},
		{ID: 4, State: "select", Frames: f, Labels: label("a", "1", "b", "2")},
		{ID: 5, State: "select"},
		{ID: 6, State: "select", Frames: []Frame{{Func: "main.f", File: "/a.go", Args: "0x7", SP: 9}}, Labels: label("a", "1", "c", "2")},
	})
	want := []Stack{
		{f, "select", 3, []uint64{2, 4, 6}, label("a", "1")},
		{f, "running", 1, []uint64{1}, nil},
		{g, "select", 1, []uint64{3}, nil},
		{nil, "select", 1, []uint64{5}, nil},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func checkJSON(t *testing.T, d *Dump) {
	t.Helper()
	text := AppendJSON(nil, d)
	var back struct {
		Goroutines int
		LeftOut    int `json:"left_out"`
		Crashed    *struct{ ID uint64 }
		Stacks     []struct{ Count int }
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	n := back.LeftOut
	for _, s := range back.Stacks {
		n += s.Count
	}
	if n != len(d.Goroutines) || back.Goroutines != n {
		t.Fatalf("%d goroutines, %d of them somewhere, want %d", back.Goroutines, n, len(d.Goroutines))
	}
	if g := d.Crashed(); (g != nil) != (back.Crashed != nil) || g != nil && g.ID != back.Crashed.ID {
		t.Fatalf("crashed: %+v", back.Crashed)
	}
}

func TestJSONIsGroupedAndHoldsNoValues(t *testing.T) {
	for _, test := range corpus {
		checkJSON(t, Parse(read(t, test.file)))
	}
	d := Parse(read(t, "all-panic"))
	text := string(AppendJSON([]byte("x"), d))
	for _, want := range []string{`x{"goroutines":5,"cut":false,`, `"crashed":{"id":1,"state":"running","frames":[{"func":"main.(*player).hit","file":"/srv/game/main.go","line":23}`,
		`"stacks":[{"count":3,"state":"chan receive","ids":[19,20,21],"frames":[{"func":"main.crowd.func1.1",`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	for _, never := range []string{"0x", "hp -1"} {
		if strings.Contains(text, never) {
			t.Errorf("%s in %s", never, text)
		}
	}
	many := Parse(crowd(3000, 2000))
	checkJSON(t, many)
	if len(AppendJSON(nil, many)) > 2<<20 {
		t.Error("2000 stacks make a large file")
	}
	if text := string(AppendJSON(nil, new(Dump))); text != `{"goroutines":0,"cut":false,"stacks":[]}`+"\n" {
		t.Errorf("nothing is %s", text)
	}
}
