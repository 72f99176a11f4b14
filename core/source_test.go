package core_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// modulePath is the path of the module whose rules are tested.
const modulePath = "vitrine"

// source is one Go file of the module.
type source struct {
	pkg  string // folder below the root of the module, "." for the root itself
	file string // path below the root
	test bool
	text string
	tree *ast.File
	set  *token.FileSet
}

// at names a place in the file.
func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.file, s.set.Position(pos).Line)
}

// lines counts the lines from one place to another, both included.
func (s source) lines(from, to token.Pos) int {
	return s.set.Position(to).Line - s.set.Position(from).Line + 1
}

// imported gives the name under which the file knows a package, or "".
func (s source) imported(pkg string) string {
	for _, spec := range s.tree.Imports {
		switch {
		case importPath(spec) != pkg:
		case spec.Name != nil:
			return spec.Name.Name
		default:
			return path.Base(pkg)
		}
	}
	return ""
}

func importPath(spec *ast.ImportSpec) string { return strings.Trim(spec.Path.Value, `"`) }

// readModule parses every Go file of a module. It reads the files themselves: the go command would answer from its
// cache, and only for one set of build tags. Folders that belong to another module, hold test data or run-time files
// are left out.
func readModule(root fs.FS) ([]source, error) {
	var all []source
	set := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return skipFolder(root, name, d.Name())
		case !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed since the folder was listed
		}
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		all = append(all, source{
			pkg: path.Dir(name), file: name, test: strings.HasSuffix(name, "_test.go"),
			text: string(text), tree: tree, set: set,
		})
		return err
	})
	return all, err
}

func skipFolder(root fs.FS, name, base string) error {
	if name == "." {
		return nil
	}
	_, err := fs.Stat(root, path.Join(name, "go.mod"))
	if err == nil || base == "testdata" || base == "var" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	return nil
}

// module is the source of this module.
func module(t *testing.T) []source {
	t.Helper()
	all, err := readModule(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found %d Go files: this is not the module", len(all))
	}
	return all
}

// report fails the test with one line for each broken rule.
func report(t *testing.T, broken []string) {
	t.Helper()
	if len(broken) > 0 {
		t.Errorf("%d broken:\n%s", len(broken), strings.Join(broken, "\n"))
	}
}
