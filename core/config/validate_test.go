package config

import (
	"errors"
	"strings"
	"testing"
)

// The rules of a struct are asked whatever else is wrong, and say nothing of values that are not there.
func TestRulesAreCheckedBesideOtherProblems(t *testing.T) {
	const unlucky, above = "net.max_sessions: 13 is unlucky", "is above net.high"
	for _, c := range []struct {
		name, text string
		opts       Options
		want       string // in the problems
		not        string // not in them
	}{
		{"a bad value", "net = { max_sessions = 13, port = -1 }", Options{}, unlucky, above},
		{"an unknown key", "net = { max_sessions = 13 }\ncolour = 1", Options{}, unlucky, above},
		{"several rules", "net = { max_sessions = 13, low = 11 }\nzones = ['void']\nratio = 'x'", Options{}, unlucky, ""},
		{"both values there", "net = { low = 11, port = -1 }", Options{}, "11 is above net.high, 10", unlucky},
		{"the other value is bad", "net = { low = 11, high = 'x' }", Options{}, "net.high: want", above},
		{"its own value is bad", "net = { low = 'x', high = -1 }", Options{}, "net.low: want", above},
		{"the other key is misspelt", "net = { low = 11, hihg = 20 }", Options{}, "did you mean net.high", above},
		{"the other variable is misspelt", "net = { low = 11 }", Options{Env: []string{"VITRINE_NET_HIHG=20"}}, "did you mean VITRINE_NET_HIGH", above},
		{"the other flag is misspelt", "net = { low = 11, high = 10 }", Options{Flags: map[string]string{"net.hihg": "20"}}, "did you mean --net.high", above},
		{"misspelt and there", "net = { low = 11, high = 10, hihg = 20 }", Options{}, above, ""},
		{"the table is misspelt", "nett = { high = 20 }", Options{Flags: map[string]string{"net.low": "11"}}, "did you mean net?", above},
		{"bad, and replaced", "net = { low = 11, high = 'x' }", Options{Flags: map[string]string{"net.high": "9"}}, "11 is above net.high, 9", ""},
		{"bad where it replaces", "net = { low = 11, high = 10 }", Options{Env: []string{"VITRINE_NET_HIGH=x"}}, "env VITRINE_NET_HIGH", above},
		{"no table", "net = 3", Options{Env: []string{"VITRINE_NET_LOW=11"}}, "want a table", above},
		{"no TOML", "net.high = 20\nnet.port = = 1", Options{Env: []string{"VITRINE_NET_LOW=11"}}, "syntax error", above},
		{"no TOML, set elsewhere", "= 1", Options{Env: []string{"VITRINE_NET_MAX_SESSIONS=13", "VITRINE_NET_LOW=11"}}, "env VITRINE_NET_MAX_SESSIONS: " + unlucky, above},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := problems(t, c.text, c.opts)
			if !strings.Contains(got, c.want) || c.not != "" && strings.Contains(got, c.not) {
				t.Errorf("got\n%s\nwant %q and not %q", got, c.want, c.not)
			}
		})
	}
	got := problems(t, "zones = [\n'a',\n'void']\nnet = { low = 11 }", Options{Env: []string{"VITRINE_NET_LOW=12"}})
	want := "f.toml:1: zones[1]: void is no zone\nenv VITRINE_NET_LOW: net.low: 12 is above net.high, 10"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// pair has a rule for each key, one for both, one that compares them, and one that says the same as another.
type pair struct {
	A int `toml:"a"`
	B int `toml:"b"`
}

func (p *pair) Validate() error {
	var errs []error
	if p.A < 0 {
		errs = append(errs, Invalid("a", "is %d, want 0 or more", p.A))
	}
	if p.B < 0 {
		errs = append(errs, Invalid("b", "is %d, want 0 or more", p.B))
	}
	if p.A >= p.B {
		errs = append(errs, Invalid("a", "is not below b").Using("b"))
	}
	if p.A+p.B < 1 {
		errs = append(errs, errors.New("both are too small"))
	}
	return errors.Join(errs...)
}

// outer finds fault with what its table has found fault with already.
type outer struct {
	Pair pair `toml:"pair"`
}

func (o *outer) Validate() error {
	if o.Pair.B < 1 {
		return Invalid("pair.b", "outer wants 1 or more")
	}
	return nil
}

// What is wrong is told once, by the rule that needs the least to say so.
func TestRulesDoNotRepeatOneAnother(t *testing.T) {
	for text, want := range map[string]string{
		"a = -1\nb = -2":  "f.toml:2: pair.a: is -1, want 0 or more\nf.toml:3: pair.b: is -2, want 0 or more",
		"a = 1\nb = -2":   "f.toml:3: pair.b: is -2, want 0 or more",
		"a = 7\nb = 6":    "f.toml:2: pair.a: is not below b",
		"a = 0\nb = 0":    "f.toml:2: pair: both are too small\nf.toml:2: pair.a: is not below b\nf.toml:3: pair.b: outer wants 1 or more",
		"a = 'x'\nb = 6":  "f.toml:2: pair.a: want a whole number, got \"x\"",
		"b = 'x'":         "f.toml:2: pair.b: want a whole number, got \"x\"",
		"b = 'x'\na = -1": "f.toml:2: pair.b: want a whole number, got \"x\"\nf.toml:3: pair.a: is -1, want 0 or more",
	} {
		file := write(t, "[pair]\n"+text)
		_, err := Load(new(outer), Options{File: file})
		if got := strings.ReplaceAll(errText(err), file, "f.toml"); got != want {
			t.Errorf("%q: got\n%s\nwant\n%s", text, got, want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// An error that is used again is not changed by being placed.
func TestUsingCopies(t *testing.T) {
	a := Invalid("a", "bad").Using("b")
	one, two := a.Using("c"), a.Using("d")
	if one.uses[1] != "c" || two.uses[1] != "d" || len(a.uses) != 1 {
		t.Errorf("%v %v %v", a.uses, one.uses, two.uses)
	}
	l := loader{schema: &schema{byKey: map[string]int{}}}
	if l.place(table{key: "t"}, one); one.uses[0] != "b" {
		t.Errorf("placed: %v", one.uses)
	}
}
