package core_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// row is a line of the import order.
type row struct {
	name     string
	packages string // "x/..." is every package below x
	may      string // rows, packages, or "..x" for every row from the first to x
}

// importOrder is the table of the package comment, top first. Change both, and ARCHITECTURE.md, with a reason.
var importOrder = []row{
	{"leaf", "core core/lockfree core/ringbuf core/stats core/config core/poller", ""},
	{"profile", "profilex profilex/...", "core/stats profile"},
	{"store", "core/pool core/flight core/simnet", "..profile"},
	{"packet", "core/packet core/dbconn", "..store"},
	{"frame", "core/frame core/session", "..packet"},
	{"engine", "core/engine", "..frame"},
	{"log", "logx logx/...", "core/lockfree core/stats core/pool core/flight log"},
	{"trace", "trace trace/...", "core/lockfree core/stats core/pool core/flight trace"},
	{"crash", "crash crash/...", "core/lockfree core/stats core/pool core/flight crash"},
	{"panels", "dashboards dashboards/...", ""},
	{"server", "servers/lanserver servers/netserver servers/mmoserver", "..engine"},
	{"observe", "servers/observe", "..server"},
	{"bot", "servers/bot", "..engine server"},
	{"demo", "servers/demo servers/demo/...", "..engine server observe bot demo"},
	{"program", "servers/cli servers/cli/...", "..program"},
	{"tests", "servers/e2e servers/e2e/...", "..tests"},
	{"main", ".", "servers/cli"},
}

// outside lists the modules from elsewhere that a core package may import. A core package that is not here may import
// none, dbconn excepted, whose drivers are its work: the packet path is ours, and observers stand beside it.
var outside = map[string]string{
	"core/config": "github.com/BurntSushi/toml",
	"core/flight": "golang.org/x/sys",
	"core/frame":  "github.com/flynn/noise golang.org/x/crypto",
	"core/poller": "golang.org/x/sys",
}

// rowOf finds the row of a package, -1 when it is in none.
func rowOf(pkg string) int {
	return slices.IndexFunc(importOrder, func(r row) bool { return lists(r.packages, pkg) })
}

// lists tells whether a list of names and patterns holds pkg.
func lists(names, pkg string) bool {
	return slices.ContainsFunc(strings.Fields(names), func(name string) bool {
		base, pattern := strings.CutSuffix(name, "...")
		return name == pkg || pattern && strings.HasPrefix(pkg, base)
	})
}

// allowed tells whether a package of row from may import pkg.
func allowed(from int, pkg string) bool {
	to := rowOf(pkg)
	return slices.ContainsFunc(strings.Fields(importOrder[from].may), func(name string) bool {
		upTo, isRange := strings.CutPrefix(name, "..")
		last := slices.IndexFunc(importOrder, func(r row) bool { return r.name == upTo })
		return name == pkg || last >= 0 && (to == last || isRange && to >= 0 && to < last)
	})
}

// badImports lists the imports that break the order.
func badImports(files []source) []string {
	var broken []string
	for _, s := range files {
		from := rowOf(s.pkg)
		if from < 0 {
			broken = append(broken, fmt.Sprintf("%s: package %s is in no row of the import order: give it one in core/imports_test.go, core/doc.go and ARCHITECTURE.md", s.file, s.pkg))
			continue
		}
		for _, spec := range s.tree.Imports {
			if why := badImport(s, from, importPath(spec)); why != "" {
				broken = append(broken, fmt.Sprintf("%s: %s (row %s) imports %s: %s", s.at(spec.Pos()), s.pkg, importOrder[from].name, importPath(spec), why))
			}
		}
	}
	return broken
}

// badImport says what is wrong with one import, "" when nothing is.
func badImport(s source, from int, imported string) string {
	pkg, ours := strings.CutPrefix(imported+"/", modulePath+"/")
	pkg = strings.TrimSuffix(pkg, "/")
	if pkg == "" {
		pkg = "."
	}
	switch to := rowOf(pkg); {
	case !ours:
		return badOutside(s, imported)
	case to < 0:
		return "it is in no row of the import order"
	case s.test && to <= from, allowed(from, pkg):
		return ""
	default:
		return fmt.Sprintf("row %s may import only: %s", importOrder[from].name, importOrder[from].may)
	}
}

// badOutside judges an import from another module or from the standard library.
func badOutside(s source, imported string) string {
	host, _, _ := strings.Cut(imported, "/")
	switch {
	case strings.HasPrefix(imported, "."):
		return "relative imports hide the order"
	case s.test || !strings.HasPrefix(s.pkg, "core") || s.pkg == "core/dbconn":
		return ""
	case imported == "log" || imported == "log/slog":
		return "core does not log: it returns errors and calls hooks"
	case !strings.Contains(host, "."):
		return ""
	case slices.ContainsFunc(strings.Fields(outside[s.pkg]), func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }):
		return ""
	default:
		return "core packages import from elsewhere only what the list in core/imports_test.go names"
	}
}

func TestImportOrderHolds(t *testing.T) {
	report(t, badImports(module(t)))
}

// A planted violation of each kind is found, and its neighbour that is allowed is not.
func TestImportOrderFindsViolations(t *testing.T) {
	cases := []struct{ name, file, imports, want string }{
		{"leaf imports engine", "core/ringbuf/a.go", "vitrine/core/engine", "row leaf may import only"},
		{"leaf imports leaf", "core/stats/a.go", "vitrine/core/lockfree", "row leaf may import only"},
		{"store imports leaf", "core/pool/a.go", "vitrine/core/lockfree", ""},
		{"store imports store", "core/simnet/a.go", "vitrine/core/pool", "row store may import only"},
		{"row imports a later row", "core/packet/a.go", "vitrine/core/frame", "row packet may import only"},
		{"engine imports profilex", "core/engine/a.go", "vitrine/profilex", ""},
		{"engine imports an exporter", "core/engine/a.go", "vitrine/trace", "row engine may import only"},
		{"profilex imports stats", "profilex/a.go", "vitrine/core/stats", ""},
		{"profilex imports flight", "profilex/a.go", "vitrine/core/flight", "row profile may import only"},
		{"profilex reader imports profilex", "profilex/pprof/a.go", "vitrine/profilex", ""},
		{"beside imports beside", "crash/a.go", "vitrine/logx", "row crash may import only"},
		{"beside imports flight", "trace/otlp/a.go", "vitrine/core/flight", ""},
		{"beside imports session", "trace/a.go", "vitrine/core/session", "row trace may import only"},
		{"core imports servers", "core/engine/a.go", "vitrine/servers/lanserver", "row engine may import only"},
		{"server imports observe", "servers/netserver/a.go", "vitrine/servers/observe", "row server may import only"},
		{"observe imports crash", "servers/observe/a.go", "vitrine/crash", ""},
		{"demo imports demo", "servers/demo/login/a.go", "vitrine/servers/demo/protocol", ""},
		{"demo imports crash", "servers/demo/chat/a.go", "vitrine/crash", "row demo may import only"},
		{"program imports all", "servers/cli/a.go", "vitrine/servers/demo/chat", ""},
		{"main imports program", "main.go", "vitrine/servers/cli", ""},
		{"main imports engine", "main.go", "vitrine/core/engine", "row main may import only"},
		{"anybody imports main", "servers/cli/a.go", "vitrine", "row program may import only"},
		{"package in no row", "core/util/a.go", "fmt", "package core/util is in no row"},
		{"folder in no row", "tools/gen/a.go", "fmt", "package tools/gen is in no row"},
		{"import in no row", "servers/cli/a.go", "vitrine/core/util", "it is in no row"},
		{"test imports upward", "core/frame/a_test.go", "vitrine/core/simnet", ""},
		{"test imports its row", "core/stats/a_test.go", "vitrine/core/poller", ""},
		{"test imports downward", "core/frame/a_test.go", "vitrine/core/engine", "row frame may import only"},
		{"core logs", "core/session/a.go", "log/slog", "core does not log"},
		{"core imports a module", "core/engine/a.go", "go.opentelemetry.io/otel", "only what the list"},
		{"core imports its module", "core/frame/a.go", "github.com/flynn/noise", ""},
		{"core imports a namesake", "core/frame/a.go", "github.com/flynn/noisette", "only what the list"},
		{"core test imports a module", "core/engine/a_test.go", "go.uber.org/goleak", ""},
		{"relative import", "trace/a.go", "./otlp", "relative imports"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := fmt.Sprintf("package a\n\nimport _ %q\n", c.imports)
			files, err := readModule(fstest.MapFS{c.file: {Data: []byte(text)}})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(badImports(files), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%s imports %s: got %q, want %q", c.file, c.imports, got, c.want)
			}
		})
	}
}

// Files under any build tag are read, and folders that are not ours are not.
func TestImportOrderReadsEveryFile(t *testing.T) {
	bad := []byte("package a\n\nimport _ \"vitrine/core/engine\"\n")
	files, err := readModule(fstest.MapFS{
		"core/stats/a_windows.go":     {Data: bad},
		"core/stats/tagged.go":        {Data: append([]byte("//go:build norecord\n\n"), bad...)},
		"core/stats/testdata/a.go":    {Data: bad},
		"servers/bench/go.mod":        {Data: []byte("module bench\n")},
		"servers/bench/deep/inner.go": {Data: bad},
		"var/log/a.go":                {Data: bad},
		".cache/a.go":                 {Data: bad},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := badImports(files)
	if len(got) != 2 || !strings.Contains(got[0], "a_windows.go:3") || !strings.Contains(got[1], "tagged.go:5") {
		t.Errorf("got %q, want the two files of core/stats", got)
	}
}

// The table is sound: no package in two rows, no row or package named that is not there.
func TestImportOrderIsSound(t *testing.T) {
	known := map[string]bool{}
	for _, r := range importOrder {
		for _, pkg := range strings.Fields(r.packages) {
			if known[pkg] {
				t.Errorf("package %s is in two rows", pkg)
			}
			known[pkg] = true
		}
		known[r.name] = true
	}
	for _, r := range importOrder {
		for _, name := range strings.Fields(r.may) {
			if !known[strings.TrimPrefix(name, "..")] {
				t.Errorf("row %s may import %s, which is neither row nor package", r.name, name)
			}
		}
	}
}

// The package comment shows the same table, row by row.
func TestImportOrderIsDocumented(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	_, order, _ := strings.Cut(string(text), "# Import order")
	for line := range strings.Lines(order) {
		if cells := strings.Split(strings.TrimPrefix(line, "//"), "|"); len(cells) == 3 {
			got = append(got, fmt.Sprintf("%q", strings.Fields(strings.Join(cells, " | "))))
		}
	}
	want = append(want, fmt.Sprintf("%q", strings.Fields("row | packages | may import")))
	for _, r := range importOrder {
		want = append(want, fmt.Sprintf("%q", strings.Fields(r.name+" | "+r.packages+" | "+r.may)))
	}
	if !slices.Equal(got, want) {
		t.Errorf("table of doc.go:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
