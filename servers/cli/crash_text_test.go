package cli

import (
	"testing"
	"time"
)

func TestVisibleIsHarmlessAndReadable(t *testing.T) {
	for text, want := range map[string]string{
		"plain 안녕 é":                "plain 안녕 é",
		"two\nlines\tand\r":         "two lines and ",
		"\x1b[31mred\x1b[0m":        `\x1b[31mred\x1b[0m`,
		"\u009b31m":                 `\u009b31m`,
		"a\u202eb\u200d\ufeff":      `a\u202eb\u200d\ufeff`,
		"bad \xff\xfe utf":          `bad \xff\xfe utf`,
		"kept \ufffd":               "kept \ufffd",
		"nul \x00 bell \a del \x7f": `nul \x00 bell \a del \x7f`,
	} {
		if got := visible(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestTextFitsItsColumns(t *testing.T) {
	for _, c := range []struct {
		got, want string
	}{
		{fit("abcdef", 6), "abcdef"},
		{fit("abcdefg", 6), "abc..."},
		{fit("가나다라", 7), "가나..."},
		{fitEnd("/a/b/c.go", 7), "...c.go"},
		{fitEnd("c.go", 7), "c.go"},
		{pad("가", 4), "가  "},
		{size(999), "999 B"},
		{size(1234), "1.2 kB"},
		{size(9_960), "10 kB"},
		{size(999_600), "1.0 MB"},
		{size(78_400_000), "78 MB"},
		{size(5 << 40), "5.5 TB"},
		{size(5000 << 40), "5498 TB"},
		{span(-time.Second), "0 ms"},
		{span(59 * time.Second), "59 s"},
		{span(3*time.Hour + 2*time.Minute), "3 h 2 min"},
		{span(50 * time.Hour), "2 d 2 h"},
		{counted(1234567), "1,234,567"},
		{counted(12), "12"},
		{shortFunc("vitrine/core/engine.(*worker).turn"), "engine.(*worker).turn"},
		{shortFunc("a/b.F[c/d.T]"), "b.F[c/d.T]"},
		{shortFunc("main.main"), "main.main"},
		{shortFunc(""), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("\x1b[2J\u009b\xff 안녕")
	f.Fuzz(func(t *testing.T, text string) {
		once := visible(text)
		if visible(once) != once {
			t.Errorf("%q is not harmless: %q", text, once)
		}
		if columns(fit(once, 20)) > 20 || columns(fitEnd(once, 20)) > 20 {
			t.Errorf("%q does not fit", once)
		}
	})
}
