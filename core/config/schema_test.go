package config

import (
	"io"
	"strings"
	"testing"
)

// What is wrong with the struct itself is the program's mistake and says so.
func TestBadSchemas(t *testing.T) {
	cases := []struct {
		name string
		dst  any
		want string
	}{
		{"nil", nil, "want a pointer to a struct, got <nil>"},
		{"value", struct{}{}, "want a pointer to a struct"},
		{"pointer to a number", new(int), "want a pointer to a struct, got *int"},
		{"nil pointer", (*sample)(nil), "want a pointer to a struct"},
		{"no tag", &struct{ A int }{}, `field A: tag toml:""`},
		{"bad key", &struct {
			A int `toml:"Max-Sessions"`
		}{}, `field A: tag toml:"Max-Sessions" is not a key`},
		{"key twice", &struct {
			A int `toml:"a"`
			B int `toml:"a"`
		}{}, "field B: key a is there twice"},
		{"map", &struct {
			A map[string]int `toml:"a"`
		}{}, "field A: type map[string]int is not supported"},
		{"pointer", &struct {
			A *int `toml:"a"`
		}{}, "type *int is not supported"},
		{"list of lists", &struct {
			A [][]int `toml:"a"`
		}{}, "type [][]int is not supported"},
		{"one variable for two keys", &struct {
			A struct {
				B int `toml:"b"`
			} `toml:"a"`
			C int `toml:"a_b"`
		}{}, "keys a.b and a_b share the environment variable VITRINE_A_B"},
		{"bad default", &struct {
			A int `toml:"a" default:"x"`
		}{}, "default: a: bad default tag: want a whole number"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(c.dst, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// An unexported field without a tag is none of our business.
func TestUnexportedFieldsAreLeftOut(t *testing.T) {
	s := struct {
		A      int `toml:"a" default:"1"`
		hidden chan int
	}{hidden: make(chan int)}
	if _, err := Load(&s, Options{}); err != nil || s.A != 1 || s.hidden == nil {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestBytes(t *testing.T) {
	cases := []struct {
		text string
		want Bytes
		back string
	}{
		{"0", 0, "0B"}, {"1", 1, "1B"}, {"1000B", 1000, "1000B"}, {"64KiB", 65536, "64KiB"}, {" 2 MiB ", 2 << 20, "2MiB"},
		{"1024MiB", 1 << 30, "1GiB"}, {"3TiB", 3 << 40, "3TiB"}, {"1kB", 1000, "1000B"}, {"1KB", 1000, "1000B"},
		{"2MB", 2e6, "2000000B"}, {"1GB", 1e9, "1000000000B"}, {"1TB", 1e12, "976562500KiB"},
		{"9223372036854775807", 1<<63 - 1, "9223372036854775807B"}, {"8388607TiB", 8388607 << 40, "8388607TiB"},
	}
	for _, c := range cases {
		got, err := ParseBytes(c.text)
		if err != nil || got != c.want || got.String() != c.back {
			t.Errorf("%q: got %d, %v, %v; want %d, %s", c.text, got, got, err, c.want, c.back)
		}
		if again, err := ParseBytes(got.String()); err != nil || again != got {
			t.Errorf("%v reads back as %d, %v", got, again, err)
		}
	}
	for _, text := range []string{"", " ", "KiB", "-1", "-1KiB", "1.5MiB", "1 Ki B", "1kib", "1K", "1e3", "9223372036854775808", "8388608TiB", "1_000", "0x10"} {
		b := Bytes(5)
		if err := b.UnmarshalText([]byte(text)); err == nil || b != 5 {
			t.Errorf("%q was read as %d", text, b)
		}
	}
}

func TestSuggestions(t *testing.T) {
	known := []string{"net", "net.max_sessions", "net.addr", "log.level", "log.file", "db.file", "db.password"}
	for word, want := range map[string]string{
		"net.max_sesions": "net.max_sessions", "net.maxSessions": "net.max_sessions", "net.max-sessions": "net.max_sessions",
		"net.adrr": "net.addr", "nte": "net", "max_sessions": "net.max_sessions", "log.password": "db.password",
		"file": "", "entirely.else": "", "": "", "x": "", strings.Repeat("net.addr", 20): "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: got %d, want %d", c.a, c.b, got, c.want)
		}
		if distance(c.a, c.b) != distance(c.b, c.a) {
			t.Errorf("%q and %q: not the same both ways", c.a, c.b)
		}
	}
}

// inner validates itself as a whole.
type inner struct {
	A int `toml:"a"`
	B int `toml:"b"`
}

func (i *inner) Validate() error {
	if i.A+i.B > 10 {
		return Invalid("", "a and b are more than 10 together")
	}
	return nil
}

func TestValidateOfTableNamesWhereItIsSet(t *testing.T) {
	var s struct {
		Inner inner `toml:"inner"`
	}
	s.Inner.A = 6
	file := write(t, "\ninner.b = 7")
	_, err := Load(&s, Options{File: file})
	if want := file + ":2: inner: a and b are more than 10 together"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// failing is a writer that takes nothing.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestPrintReportsTheWriter(t *testing.T) {
	var s sample
	e, err := Load(&s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Print(failing{}); err == nil {
		t.Error("Print: no error")
	}
	if err := WriteExample(failing{}, &s, ""); err == nil {
		t.Error("WriteExample: no error")
	}
}
