package core_test

import (
	"path"
	"strings"
	"testing"
	"testing/fstest"
)

// Each rule finds a planted violation, and passes the same code put right.
func TestTidyFindsViolations(t *testing.T) {
	long := strings.Repeat("\t_ = 1\n", maxFunctionLines)
	cases := []struct{ name, file, bad, want, good string }{
		{"long file", "a/a.go", strings.Repeat("\n", maxFileLines+1), "the wall is 400", strings.Repeat("\n", maxFileLines-20)},
		{"long function", "a/a.go", "func f() {\n" + long + "}", "f has 72 lines", "func f() {\n" + long[:len(long)/2] + "}"},
		{"clock", "core/frame/a.go", `import "time"; func f() { time.Now() }`, "f calls time.Now", `import "time"; func f(t time.Time) { t.Unix() }`},
		{"renamed clock", "core/packet/a.go", `import c "time"; func f() { c.Now() }`, "f calls c.Now", `import c "time"; const tick = c.Second`},
		{"clock in a constructor", "core/lockfree/a.go", `import "time"; func newA() { time.Since(t) }`, "newA calls time.Since", `func newA() {}`},
		{"log", "core/engine/flush.go", `import "log/slog"; func f() { slog.Info("x") }`, "f calls slog.Info", `import "log/slog"; type level = slog.Level`},
		{"format", "core/engine/receive.go", `import "fmt"; func f() { fmt.Sprint(1) }`, "f calls fmt.Sprint", `import "fmt"; func f() { panic(fmt.Sprint(1)) }`},
		{"format in a hot constructor", "core/engine/receive.go", `import "fmt"; func newA() { fmt.Sprint(1) }`, "newA calls fmt.Sprint", `func newA() {}`},
		{"format in a hot folder", "core/ringbuf/a.go", `import "fmt"; func f() { fmt.Sprint(1) }`, "f calls fmt.Sprint", `import "fmt"; func newA() { fmt.Sprint(1) }`},
		{"format in a method", "core/frame/a.go", `import "fmt"; func (c *Codec) fill() { fmt.Sprint(1) }`, "fill calls fmt.Sprint", `import "fmt"; func (c *LANConfig) fill() { fmt.Sprint(1) }`},
		{"leftover", "a/a_test.go", "// TO" + "DO: more\nvar x int", "do it, or", "// All done.\nvar x int"},
		{"sleep", "a/a_test.go", `import "time"; func f() { time.Sleep(1) }`, "time.Sleep", "import \"time\"\nfunc f() { time.Sleep(1) } // sleep: the peer is slow on purpose\n"},
		{"init", "a/a.go", "func init() {}", "func init", "type t int; func (t) init() {}"},
		{"goroutine", "a/a.go", "func f() {\n\n\tgo f()\n}", "who ends", "func f() {\n\t// Close ends it.\n\tgo f()\n}"},
		{"no package comment", "b/b.go", "", "b: 0 files have a package comment", "// Package a is."},
		{"two package comments", "a/a.go", "// Package a is.", "a: 2 files have a package comment", ""},
		{"wrong package comment", "b/b.go", "// This is a.", "begins with", "// Package a is."},
		{"undocumented", "a/a.go", "func F() {}", "F has no comment", "// F does.\nfunc F() {}"},
		{"undocumented method", "a/a.go", "// T is.\ntype T[A any] int\nfunc (*T[A]) F() {}", "F has no comment", "type t int\nfunc (t) F() {}"},
		{"undocumented constant", "a/a.go", "const A = 1", "A has no comment", "// A and B count.\nconst ( A = 1; B = 2 )"},
		{"no example", "core/x/a.go", "", "no Example", "func Example() {}"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := tidy(t, c.file, c.bad); len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("bad code: got %q, want one violation with %q", got, c.want)
			}
			if got := tidy(t, c.file, c.good); len(got) != 0 {
				t.Errorf("good code: got %q, want none", got)
			}
		})
	}
}

// tidy applies all rules to one planted file, in a package that is tidy otherwise: package b has nothing but the file,
// core/x has no other tests. Code that begins with a package comment is put before the package clause.
func tidy(t *testing.T, file, code string) []string {
	t.Helper()
	pkg, text := path.Dir(file), "package a\n\n"+code
	if strings.HasPrefix(code, "// Package") || strings.HasPrefix(code, "// This") {
		text = code + "\npackage a\n"
	}
	tree := fstest.MapFS{file: {Data: []byte(text)}}
	if pkg != "b" {
		tree[pkg+"/doc.go"] = &fstest.MapFile{Data: []byte("// Package a is planted.\npackage a\n")}
	}
	if pkg != "core/x" {
		tree[pkg+"/example_test.go"] = &fstest.MapFile{Data: []byte("package a\n\nfunc Example() {}\n")}
	} else if strings.Contains(code, "Example") {
		tree[pkg+"/a_test.go"] = tree[file]
		delete(tree, file)
	}
	files, err := readModule(tree)
	if err != nil {
		t.Fatal(err)
	}
	broken := append(packageComments(files), undocumented(files)...)
	broken = append(broken, noExample(files)...)
	for _, r := range fileRules {
		for _, s := range files {
			broken = append(broken, r.check(s)...)
		}
	}
	return broken
}

// A file is measured by its own positions, whatever was parsed before it.
func TestTidyNamesTheLine(t *testing.T) {
	files, err := readModule(fstest.MapFS{
		"a/a.go": {Data: []byte("package a\n\n\nfunc init() {}\n")},
		"a/b.go": {Data: []byte("package a\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := inits(files[0]); len(got) != 1 || !strings.HasPrefix(got[0], "a/a.go:4: ") {
		t.Errorf("got %q, want a/a.go:4", got)
	}
	if got := files[1].at(files[1].tree.Package); got != "a/b.go:1" {
		t.Errorf("got %s, want a/b.go:1", got)
	}
}
