package config

import (
	"strings"
	"testing"
	"time"
)

// limits has a time limit with a default.
type limits struct {
	Idle Timeout `toml:"idle" default:"60s" help:"How long"`
}

func TestTimeoutsReadAndPrintBack(t *testing.T) {
	for _, c := range []struct {
		text string
		want Timeout
		back string
	}{
		{"30s", Timeout(30 * time.Second), "30s"}, {"90s", Timeout(90 * time.Second), "1m30s"}, {"1h", Timeout(time.Hour), "1h"},
		{" 1ns ", 1, "1ns"}, {"unlimited", Unlimited, "unlimited"}, {"\tunlimited", Unlimited, "unlimited"},
	} {
		got, err := ParseTimeout(c.text)
		if err != nil || got != c.want || got.String() != c.back {
			t.Errorf("%q: got %d, %v, %v; want %d, %s", c.text, got, got, err, c.want, c.back)
		}
		if again, err := ParseTimeout(got.String()); err != nil || again != got || again.Duration() != time.Duration(c.want) {
			t.Errorf("%v reads back as %d, %v", got, again, err)
		}
	}
	for _, text := range []string{"", "0", "0s", "-1ns", "-1", "Unlimited", "none", "30"} {
		limit := Timeout(5)
		if err := limit.UnmarshalText([]byte(text)); err == nil || limit != 5 {
			t.Errorf("%q was read as %d", text, limit)
		}
	}
}

// Whatever the source, "unlimited" is taken and shown, and what is refused says what to write.
func TestTimeoutIsUnlimitedOnlyInSoManyWords(t *testing.T) {
	const refused = `want a time limit above zero such as "30s", or "unlimited", got `
	for _, c := range []struct{ text, shown string }{
		{`"unlimited"`, `"unlimited"`}, {`"2m"`, `"2m"`}, {`"0s"`, ""}, {`"-1ns"`, ""}, {`"forever"`, ""}, {"0", ""},
	} {
		for _, opts := range []Options{
			{File: write(t, "idle = "+c.text)},
			{Flags: map[string]string{"idle": strings.Trim(c.text, `"`)}},
			{Env: []string{"VITRINE_IDLE=" + strings.Trim(c.text, `"`)}},
		} {
			var l limits
			e, err := Load(&l, opts)
			switch {
			case c.shown != "" && (err != nil || e.Settings()[0].Value != c.shown):
				t.Errorf("%s: %v, %+v", c.text, err, l)
			case c.shown == "" && (err == nil || !strings.Contains(err.Error(), refused)):
				t.Errorf("%s: %v, want %s", c.text, err, refused)
			}
		}
	}
}

func TestDefaultTimeoutIsShownAsItCounts(t *testing.T) {
	var l limits
	e, err := Load(&l, Options{})
	if err != nil || e.Settings()[0].Value != `"1m"` || l.Idle.Duration() != time.Minute {
		t.Errorf("%v, %+v", err, l)
	}
	l.Idle = Unlimited // of the program, before the tag
	if e, err = Load(&l, Options{}); err != nil || e.Settings()[0].Value != `"unlimited"` || l.Idle != Unlimited {
		t.Errorf("%v, %+v", err, l)
	}
}
