package core_test

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The walls. Most functions are near 10 lines and most files near 200.
const (
	maxFunctionLines = 70
	maxFileLines     = 400
	minDocumented    = 0.98
)

// packetPath is where no clock is read, nothing is logged and nothing is formatted once per packet: a file, or a
// folder for all files in it. The clock is read once per turn and per group of records, by the recorder and the poller.
var packetPath = []string{
	"core/engine/receive.go", "core/engine/flush.go",
	"core/ringbuf", "core/frame", "core/packet", "core/lockfree",
}

// coldFunctions match the functions of those folders that may format; see isCold.
var coldFunctions = regexp.MustCompile(`^(New|new|Parse|parse|Generate|Vectors|Check|check|Validate|validate)|^(String|Error|GoString|Format)$`)

// coldFiles are files of those folders that no packet passes: why is said here.
var coldFiles = map[string]string{
	"core/frame/config.go":  "reads the configuration of a codec",
	"core/frame/key.go":     "makes and reads keys",
	"core/frame/vectors.go": "checks the wire vectors for a tool",
}

// rule finds what breaks one rule in one file.
type rule struct {
	name  string
	check func(source) []string
}

// fileRules are the rules that one file can break alone.
var fileRules = []rule{
	{"files are short", longFile},
	{"functions are short", longFunctions},
	{"the packet path is quiet", noise},
	{"nothing is left over", leftovers},
	{"tests do not sleep", sleeps},
	{"there is no init", inits},
	{"every goroutine says who ends it", goroutines},
}

func TestTidy(t *testing.T) {
	files := module(t)
	for _, r := range fileRules {
		t.Run(r.name, func(t *testing.T) {
			var broken []string
			for _, s := range files {
				broken = append(broken, r.check(s)...)
			}
			report(t, broken)
		})
	}
	t.Run("every package has one package comment", func(t *testing.T) { report(t, packageComments(files)) })
	t.Run("exported names are documented", func(t *testing.T) { report(t, undocumented(files)) })
	t.Run("core packages have an example", func(t *testing.T) { report(t, noExample(files)) })
}

func longFile(s source) []string {
	if n := strings.Count(s.text, "\n"); !s.test && n > maxFileLines {
		return []string{fmt.Sprintf("%s: %d lines, the wall is %d", s.file, n, maxFileLines)}
	}
	return nil
}

func longFunctions(s source) []string {
	var broken []string
	for _, decl := range s.tree.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || s.test {
			continue
		}
		if n := s.lines(f.Pos(), f.End()); n > maxFunctionLines {
			broken = append(broken, fmt.Sprintf("%s: %s has %d lines, the wall is %d", s.at(f.Pos()), f.Name.Name, n, maxFunctionLines))
		}
	}
	return broken
}

// noise finds calls that do not belong on the packet path.
func noise(s source) []string {
	if s.test || !slices.Contains(packetPath, s.pkg) && !slices.Contains(packetPath, s.file) {
		return nil
	}
	var broken []string
	for _, decl := range s.tree.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		cold := coldFiles[s.file] != "" || slices.Contains(packetPath, s.pkg) && isCold(f)
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if name := s.noisy(call, cold); name != "" {
				broken = append(broken, fmt.Sprintf("%s: %s calls %s on the packet path", s.at(call.Pos()), f.Name.Name, name))
			}
			return !isPanic(call) // what a broken invariant prints may be formatted
		})
	}
	return broken
}

// isCold tells whether a function runs once per server or once per failure: by its name, or as a method of a Config.
func isCold(f *ast.FuncDecl) bool {
	return coldFunctions.MatchString(f.Name.Name) || f.Recv != nil && strings.HasSuffix(receiver(f.Recv.List[0].Type), "Config")
}

// noisy names what a call does that the packet path must not, "" when nothing.
func (s source) noisy(call *ast.CallExpr, cold bool) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	from, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}
	switch name := from.Name + "." + selector.Sel.Name; {
	case from.Name == s.imported("time") && (selector.Sel.Name == "Now" || selector.Sel.Name == "Since"),
		from.Name == s.imported("log"), from.Name == s.imported("log/slog"),
		from.Name == s.imported("fmt") && !cold:
		return name
	}
	return ""
}

func isPanic(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.Ident)
	return ok && f.Name == "panic"
}

// leftover matches the marks of work that was put off.
var leftover = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

func leftovers(s source) []string {
	var broken []string
	for _, group := range s.tree.Comments {
		for _, c := range group.List {
			if mark := leftover.FindString(c.Text); mark != "" {
				broken = append(broken, fmt.Sprintf("%s: %s: do it, or write down why not without the mark", s.at(c.Pos()), mark))
			}
		}
	}
	return broken
}

// sleeps finds tests that wait by sleeping. A sleep that is what the test is about says so: // sleep: why.
func sleeps(s source) []string {
	name := s.imported("time")
	if !s.test || name == "" {
		return nil
	}
	why := map[int]bool{}
	for _, group := range s.tree.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "// sleep: ") {
				why[s.set.Position(c.Pos()).Line] = true
			}
		}
	}
	var broken []string
	ast.Inspect(s.tree, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok || selector.Sel.Name != "Sleep" || why[s.set.Position(n.Pos()).Line] {
			return true
		}
		if from, ok := selector.X.(*ast.Ident); ok && from.Name == name {
			broken = append(broken, fmt.Sprintf("%s: time.Sleep: wait for what should happen, or say why on the line: // sleep: ...", s.at(n.Pos())))
		}
		return true
	})
	return broken
}

func inits(s source) []string {
	var broken []string
	for _, decl := range s.tree.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			broken = append(broken, s.at(f.Pos())+": func init runs behind everybody's back: make it a call")
		}
	}
	return broken
}

// goroutines finds go statements without a comment on their line or the line above.
func goroutines(s source) []string {
	if s.test {
		return nil
	}
	commented := map[int]bool{}
	for _, group := range s.tree.Comments {
		commented[s.set.Position(group.Pos()).Line] = true
		commented[s.set.Position(group.End()).Line+1] = true
	}
	var broken []string
	ast.Inspect(s.tree, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok && !commented[s.set.Position(g.Pos()).Line] {
			broken = append(broken, s.at(g.Pos())+": say above or beside the go statement who ends the goroutine")
		}
		return true
	})
	return broken
}
