package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLinesOfKeys(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"plain", "a = 1\nb = 2", "a:1 b:2"},
		{"blank and comment", "\n# a = 1\n\n  b = 2 # c = 3\n", "b:4"},
		{"table", "[a]\nb = 1\n[c]\nb = 1", "a:1 a.b:2 c:3 c.b:4"},
		{"table in a table", "[a.b]\nc = 1\n[a]\nd = 1", "a:1 a.b:1 a.b.c:2 a.d:4"},
		{"spaces in a header", "[ a . b ] # x\nc=1", "a:1 a.b:1 a.b.c:2"},
		{"dotted key", "a.b = 1\n[c]\na . b = 2", "a:1 a.b:1 c:2 c.a:3 c.a.b:3"},
		{"quoted key", "\"a b\" = 1\n'c.d'.e = 2\n\"\\u0061\" = 3", `"a b":1 "c.d":2 "c.d".e:2 a:3`},
		{"number as a key", "1.2 = 3", "1:1 1.2:1"},
		{"string that looks like a key", "a = \"\"\"\nb = 1\n[c]\n\"\"\"\nd = 1", "a:1 d:5"},
		{"literal that looks like a key", "a = '''\nb = 1 \\'''\nd = 1", "a:1 d:3"},
		{"escaped quote", "a = \"\\\"\" # x\nb = '\\'\nc = 1", "a:1 b:2 c:3"},
		{"escaped quotes of a long string", "a = \"\"\"\\\"\"\"\nb = 1\n\"\"\"\nc = 1", "a:1 c:4"},
		{"quotes before the end", "a = \"\"\"\n\"\"\"\"\"\nb = 1", "a:1 b:3"},
		{"empty strings", "a = \"\"\nb = ''\nc = \"\"\"\"\"\"\nd = 1", "a:1 b:2 c:3 d:4"},
		{"comment sign in a string", "a = \"#\"\nb = '#'", "a:1 b:2"},
		{"list", "a = [\n 1, # one\n\n \"]\",\n [2,\n3]]\nb = 1", "a:1 a[0]:2 a[1]:4 a[2]:5 a[2][0]:5 a[2][1]:6 b:7"},
		{"empty list", "a = [ ]\nb = [\n# none\n]\nc = 1", "a:1 b:2 c:5"},
		{"inline table", "a = { b = 1, c.d = { e = '}' } }\nf = 1", "a:1 a.b:1 a.c:1 a.c.d:1 a.c.d.e:1 f:2"},
		{"tables in a list", "a = [ { b = 1 },\n{ b = 2 } ]", "a:1 a[0]:1 a[0].b:1 a[1]:2 a[1].b:2"},
		{"array of tables", "[[a]]\nb = 1\n\n[[a]]\nb = 2\n[a.c]\nd = 3", "a:1 a[0]:1 a[0].b:2 a[1]:4 a[1].b:5 a[1].c:6 a[1].c.d:7"},
		{"array in an array", "[[a]]\n[[a.b]]\nc = 1\n[[a.b]]\n[[a]]\n[[a.b]]\nc = 2",
			"a:1 a[0]:1 a[0].b:2 a[0].b[0]:2 a[0].b[0].c:3 a[0].b[1]:4 a[1]:5 a[1].b:6 a[1].b[0]:6 a[1].b[0].c:7"},
		{"line end of Windows", "a = 1\r\n[b]\r\nc = '''\r\n'''\r\nd = 1", "a:1 b:2 b.c:3 b.d:5"},
		{"byte order mark", "\xef\xbb\xbfa = 1", "a:1"},
		{"comment without a line end", "a = 1\n# b", "a:1"},
		{"date", "a = 1979-05-27 07:32:00Z\nb = 1", "a:1 b:2"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			lines, _, err := scanLines(c.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, path := range slices.Sorted(maps.Keys(lines)) {
				got = append(got, fmt.Sprintf("%s:%d", path, lines[path]))
			}
			want := strings.Split(c.want, " ")
			if strings.Contains(c.want, `"`) {
				want = []string{`"a b":1`, `"c.d":2`, `"c.d".e:2`, "a:3"}
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
				t.Error(diff)
			}
			missing(t, c.text)
		})
	}
}

// missing fails for every key and list item that the TOML library finds in a text and the line map does not.
func missing(t *testing.T, text string) {
	t.Helper()
	tree, err := parse(text)
	if err != nil {
		return
	}
	lines, at, err := scanLines(text)
	if err == errDeep {
		return
	}
	if err != nil {
		t.Errorf("line %d: the library accepts what the scanner does not: %v\n%s", at, err, text)
	}
	last := strings.Count(text, "\n") + 1
	each("", tree, func(path string) {
		if n, ok := lines[path]; !ok || n < 1 || n > last {
			t.Errorf("%s: line %d of %d, found %v\n%s", path, n, last, ok, text)
		}
	})
}

// each calls found with every path in a tree of the TOML library.
func each(base string, node any, found func(path string)) {
	switch x := node.(type) {
	case map[string]any:
		for name, value := range x {
			found(join(base, name))
			each(join(base, name), value, found)
		}
	case []any:
		for i, value := range x {
			found(item(base, i))
			each(item(base, i), value, found)
		}
	case []map[string]any:
		for i, value := range x {
			found(item(base, i))
			each(item(base, i), value, found)
		}
	}
}

// A text that is no TOML stops the scanner where it is, without a loop.
func TestLinesOfBrokenText(t *testing.T) {
	for _, text := range []string{
		"a", "a =", "= 1", "[", "[a", "[[a]", "[a]]", "a = [", "a = [1", "a = [,]", "a = {", "a = {b", "a = {b=1", "a = \"", "a = '''",
		"a = \"\"\"\\", "a = 'x' y", "a.b", "a. = 1", "a = \"x\ny\"", "]", "}", "\"a", "a = [1 2]]",
	} {
		if _, _, err := scanLines(text); err != errSyntax {
			t.Errorf("%q: got %v, want %v", text, err, errSyntax)
		}
	}
}

func TestLineOfTheNearest(t *testing.T) {
	m := lineMap{"a": 1, "a.b[0]": 2}
	for path, want := range map[string]int{"a": 1, "a.b[0]": 2, "a.b[0].c": 2, "a.b[1]": 1, "a.c.d": 1, "b": 0, "": 0} {
		if got := m.line(path); got != want {
			t.Errorf("%q: got %d, want %d", path, got, want)
		}
	}
}

// FuzzLines holds the scanner to the TOML library: what the library accepts, the scanner finds the line of.
func FuzzLines(f *testing.F) {
	f.Add("a = 1\n[b.c]\nd = [1, '''\n''']\n")
	f.Add("[[a]]\nb = { \"c\" = 1 } # x\n[[a]]\n[a.d]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4<<10 {
			t.Skip("long texts only repeat short ones")
		}
		missing(t, text)
	})
}
