package config

import (
	"strings"
	"testing"
)

// Where flags are called something else than their keys, problems and sources say what was typed.
func TestFlagsAreCalledAsTheProgramSays(t *testing.T) {
	name := func(key string) string { return "set " + key }
	var s sample
	_, err := Load(&s, Options{Flags: map[string]string{"net.hi": "1", "foo": "1", "net.port": "x"}, FlagName: name})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"flag --set net.hi: unknown key (did you mean --set net.high?)", "flag --set foo: unknown key", "flag --set net.port: net.port: want",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
	effective, err := Load(&s, Options{Flags: map[string]string{"net.port": "7"}, FlagName: name})
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range effective.Settings() {
		if got := setting.Source.String(); setting.Key == "net.port" && got != "flag --set net.port" {
			t.Errorf("source: got %q", got)
		}
	}
}
