package lockfree

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the variants anew")

// TestVariantsFollowTheSource makes the copies that the checks run on and
// compares them with those in the repository:
//
//	stack.go --+-- yield calls the hook ------------> checkedStack
//	           +-- the same, one mutant's edits ----> stackUntagged, ...
//
// A mutant embeds the checked copy and has methods of its own only where the
// edits made a difference, or where a method calls one that differs.
func TestVariantsFollowTheSource(t *testing.T) {
	for _, s := range subjects() {
		file := strings.TrimSuffix(s.file, ".go") + "_variants_test.go"
		want := s.variants(t)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is stale, run go test -update (-want +got):\n%s", file, diff)
		}
	}
}

// variants returns the generated file for a subject.
func (s subject) variants(t *testing.T) []byte {
	source, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	var out, index bytes.Buffer
	fmt.Fprintf(&out, "// Code generated from %s by TestVariantsFollowTheSource. DO NOT EDIT.\n\n", s.file)
	original := s.declarations(t, string(source))
	fmt.Fprintf(&out, "package lockfree\n\n%s\n", imports(original))
	for _, d := range original {
		out.WriteString(s.checked(d.text))
	}
	checked := "newChecked" + s.typ + s.argument()
	fmt.Fprintf(&index, "\"\": func(c int) %s { return %s(c) },\n", s.contract(), checked)
	for _, m := range s.mutants {
		name := strings.ToLower(s.typ) + m.name
		edited := s.declarations(t, m.apply(t, string(source)))
		out.WriteString(s.mutated(name, original, edited, &index))
	}
	fmt.Fprintf(&out, "\nfunc %sVariants() map[string]func(capacity int) %s {\nreturn map[string]func(int) %s {\n%s}\n}\n",
		strings.ToLower(s.typ), s.contract(), s.contract(), index.String())
	text, err := format.Source(out.Bytes())
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	return text
}

// imports returns the import declaration that the declarations need.
func imports(needed []declaration) string {
	for _, d := range needed {
		if strings.Contains(d.text, "fmt.") {
			return "import (\n\"fmt\"\n\"sync/atomic\"\n)\n"
		}
	}
	return "import \"sync/atomic\"\n"
}

// apply edits the source; an edit that finds nothing has fallen behind it.
func (m mutant) apply(t *testing.T, source string) string {
	for _, e := range m.edits {
		if !strings.Contains(source, e.from) {
			t.Fatalf("mutant %s: the source no longer contains\n%s", m.name, e.from)
		}
		source = strings.ReplaceAll(source, e.from, e.to)
	}
	return source
}

// A declaration is the type, its constructor or one of its methods.
type declaration struct {
	name   string
	method bool
	text   string
}

// declarations returns what the source declares of the subject's type,
// without comments.
func (s subject) declarations(t *testing.T, source string) (found []declaration) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, s.file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		name, method := s.declares(d)
		if name == "" {
			continue
		}
		var text bytes.Buffer
		if err := format.Node(&text, fset, d); err != nil {
			t.Fatal(err)
		}
		// Without its comments a body keeps empty lines where they stood.
		compact := regexp.MustCompile(`\n\s*\n`).ReplaceAllString(text.String(), "\n")
		found = append(found, declaration{name, method, compact + "\n\n"})
	}
	return found
}

// declares returns the name under which d belongs to the subject, if it does.
func (s subject) declares(d ast.Decl) (name string, method bool) {
	switch d := d.(type) {
	case *ast.GenDecl:
		if spec, ok := d.Specs[0].(*ast.TypeSpec); ok && spec.Name.Name == s.typ {
			return s.typ, false
		}
	case *ast.FuncDecl:
		if d.Recv != nil {
			return d.Name.Name, true
		}
		if d.Name.Name == "New"+s.typ {
			return d.Name.Name, false
		}
	}
	return "", false
}

// checked turns source into the copy whose yields call the hook.
func (s subject) checked(text string) string {
	text = regexp.MustCompile(`\bNew`+s.typ+`\b`).ReplaceAllString(text, "newChecked"+s.typ)
	text = regexp.MustCompile(`\b`+s.typ+`\b`).ReplaceAllString(text, "checked"+s.typ)
	text = strings.ReplaceAll(text, "yield(", "onYield(")
	// The name in a panic's text is not the type's.
	return strings.ReplaceAll(text, `"checked`, `"`)
}

// mutated returns the declarations in which a mutant differs from the
// checked copy and adds its constructor to the index.
func (s subject) mutated(name string, original, edited []declaration, index *bytes.Buffer) string {
	var out, methods bytes.Buffer
	construct := "newChecked" + s.typ
	changed := differing(original, edited)
	for _, d := range edited {
		switch {
		case !changed[d.name]:
		case d.method:
			text := strings.Replace(d.text, "*"+s.typ, "*"+name, 1)
			methods.WriteString(s.checked(text))
		default:
			construct = name + "New"
			out.WriteString(strings.Replace(s.checked(d.text), "newChecked"+s.typ, construct, 1))
		}
	}
	made := construct + s.argument() + "(c)"
	if methods.Len() > 0 {
		parameter, short := "", ""
		if s.generic {
			parameter, short = "[T any]", "[T]"
		}
		fmt.Fprintf(&out, "type %s%s struct{ *checked%s%s }\n\n", name, parameter, s.typ, short)
		made = "&" + name + s.argument() + "{" + made + "}"
	}
	out.Write(methods.Bytes())
	fmt.Fprintf(index, "%q: func(c int) %s { return %s },\n", strings.TrimPrefix(name, strings.ToLower(s.typ)), s.contract(), made)
	return out.String()
}

// differing returns the names of the declarations that were edited, and of
// the methods that call them.
func differing(original, edited []declaration) map[string]bool {
	changed := make(map[string]bool)
	for i, d := range edited {
		changed[d.name] = d.text != original[i].text
	}
	for grown := true; grown; {
		grown = false
		for _, d := range edited {
			for name, differs := range changed {
				if differs && !changed[d.name] && d.method && strings.Contains(d.text, "."+name+"(") {
					changed[d.name], grown = true, true
				}
			}
		}
	}
	return changed
}

// contract is the interface the variants are used through.
func (s subject) contract() string {
	if s.generic {
		return "queue"
	}
	return "freeList"
}

func (s subject) argument() string {
	if s.generic {
		return "[int]"
	}
	return ""
}
