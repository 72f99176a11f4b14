//go:build linux

package logs

import (
	"io"
	"strings"
	"testing"
)

func TestGatesHoldAtTheirBound(t *testing.T) {
	for _, c := range []struct {
		gate gate
		want string
	}{
		{atMost("lost", 0, 0), verdictHeld}, {atMost("lost", 1, 0), verdictMissed},
		{atLeast("faster", 50, 50), verdictHeld}, {atLeast("faster", 49.9, 50), verdictMissed},
	} {
		if c.gate.Verdict != c.want {
			t.Errorf("%+v, want %q", c.gate, c.want)
		}
	}
}

type emptyOutcome struct{}

func (emptyOutcome) table(w io.Writer) error { _, err := io.WriteString(w, "figures\n"); return err }

func TestMissedGateFailsTheCommandButNotASmokeRun(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		for _, quick := range []bool{false, true} {
			var text strings.Builder
			err := conclude(&text, emptyOutcome{}, gates{atMost("held", 1, 1), atMost("lost", 2, 0)}, asJSON, quick)
			if (err == nil) != quick {
				t.Errorf("json %v, quick %v: %v", asJSON, quick, err)
			}
			if err != nil && (!strings.Contains(err.Error(), "lost is 2, want <= 0") || strings.Contains(err.Error(), "held")) {
				t.Errorf("error %v", err)
			}
			if got := text.String(); strings.Contains(got, verdictSmoke) != quick || strings.Contains(got, `"verdict"`) != asJSON {
				t.Errorf("json %v, quick %v: printed %s", asJSON, quick, got)
			}
		}
	}
}

func TestSizesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]size{"2GB": 2e9, "200MB": 2e8, "1KB": 1000, "64KiB": 64 << 10, "3MiB": 3 << 20, "1GiB": 1 << 30, "17": 17, "0": 0} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "GB", "-1MB", "2.5GB", "2TB", "101GB", "9223372036854775807GB"} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}
