package core_test

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// packageComments wants one comment per package, in one file that is no test, in the form godoc expects.
func packageComments(files []source) []string {
	docs := map[string][]source{}
	var packages []string
	for _, s := range files {
		if s.test {
			continue
		}
		if !slices.Contains(packages, s.pkg) {
			packages = append(packages, s.pkg)
		}
		if s.tree.Doc != nil && strings.TrimSpace(s.tree.Doc.Text()) != "" {
			docs[s.pkg] = append(docs[s.pkg], s)
		}
	}
	var broken []string
	for _, pkg := range packages {
		if len(docs[pkg]) != 1 {
			broken = append(broken, fmt.Sprintf("%s: %d files have a package comment, want one", pkg, len(docs[pkg])))
			continue
		}
		s := docs[pkg][0]
		want := "Package " + s.tree.Name.Name + " "
		if s.tree.Name.Name == "main" {
			want = "Command "
		}
		if !strings.HasPrefix(s.tree.Doc.Text(), want) {
			broken = append(broken, fmt.Sprintf("%s: the package comment begins with %q, want %q", s.file, firstLine(s.tree.Doc.Text()), want))
		}
	}
	return broken
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// undocumented lists the exported names without a comment, when they are more than the rule allows.
func undocumented(files []source) []string {
	total, bare := 0, []string(nil)
	for _, s := range files {
		if s.test || s.tree.Name.Name == "main" {
			continue
		}
		for _, decl := range s.tree.Decls {
			n, missing := s.undocumented(decl)
			total, bare = total+n, append(bare, missing...)
		}
	}
	if float64(total-len(bare)) >= minDocumented*float64(total) {
		return nil
	}
	return bare
}

// undocumented counts the exported names of a declaration and lists those without a comment. The comment of a group
// stands for each name in it.
func (s source) undocumented(decl ast.Decl) (total int, bare []string) {
	add := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		total++
		if !slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d != nil }) {
			bare = append(bare, fmt.Sprintf("%s: %s has no comment", s.at(name.Pos()), name.Name))
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type)) {
			add(d.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch x := spec.(type) {
			case *ast.TypeSpec:
				add(x.Name, d.Doc, x.Doc, x.Comment)
			case *ast.ValueSpec:
				for _, name := range x.Names {
					add(name, d.Doc, x.Doc, x.Comment)
				}
			}
		}
	}
	return total, bare
}

// receiver gives the name of a method's type.
func receiver(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// noExample lists the packages of core without a runnable example.
func noExample(files []source) []string {
	var packages, with []string
	for _, s := range files {
		if path.Dir(s.pkg) != "core" {
			continue
		}
		if !slices.Contains(packages, s.pkg) {
			packages = append(packages, s.pkg)
		}
		for _, decl := range s.tree.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && s.test && strings.HasPrefix(f.Name.Name, "Example") {
				with = append(with, s.pkg)
			}
		}
	}
	var broken []string
	for _, pkg := range packages {
		if !slices.Contains(with, pkg) {
			broken = append(broken, pkg+": no Example function in its tests")
		}
	}
	return broken
}
