package config

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the files under testdata")

func TestExampleFile(t *testing.T) {
	var out strings.Builder
	if err := WriteExample(&out, &sample{}, ""); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/example.toml"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Error(diff)
	}
}

// The example changes nothing as it is, and every key in it may be uncommented without a change.
func TestExampleFileHoldsTheDefaults(t *testing.T) {
	var out strings.Builder
	if err := WriteExample(&out, &sample{}, ""); err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`(?m)^#([a-z_]+ = )`)
	text := keys.ReplaceAllString(out.String(), "$1")
	var plain, commented, uncommented sample
	for text, s := range map[string]*sample{"": &plain, out.String(): &commented, text: &uncommented} {
		if _, err := Load(s, Options{File: write(t, text)}); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
	var s sample
	e, err := Load(&s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(keys.FindAllString(out.String(), -1)); got != len(e.Settings()) {
		t.Errorf("%d keys in the example, want %d", got, len(e.Settings()))
	}
	for i := range e.schema.fields {
		want := e.schema.shown(i, e.now)
		for _, got := range []*sample{&commented, &uncommented} {
			if g := e.schema.shown(i, structOf(got)); g != want {
				t.Errorf("%s: got %s, want %s", e.schema.fields[i].key, g, want)
			}
		}
	}
}
