package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"vitrine/crash/bundle"
)

const testDSN = "https://0123456789abcdef@sentry.example/42"

func TestCrashSettingsReachTheCapture(t *testing.T) {
	inTempDir(t)
	flags := configFlags{Set: map[string]string{
		"crash.dir": "d", "crash.run_dir": "r", "crash.cores": "false", "crash.huge_pages": "false", "crash.stall": "0", "crash.kill_stalled": "true",
		"crash.deadman": "0", "crash.sentry_dsn": testDSN, "crash.environment": "test", "crash.keep_bundles": "7",
		"crash.keep_bytes": "1MiB", "crash.keep_cores": "2", "crash.keep_core_bytes": "1GiB",
	}}
	s, effective, err := flags.load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Crash.config(effective)
	if want := (bundle.Limits{Bundles: 7, TextBytes: 1 << 20, Cores: 2, CoreBytes: 1 << 30}); got.Limits != want {
		t.Errorf("limits %+v, want %+v", got.Limits, want)
	}
	if got.RunDir != "r" || !got.NoCores || !got.SmallPages || got.Stall >= 0 || !got.KillStalled || got.Deadman >= 0 ||
		got.Sentry.DSN != testDSN || got.Sentry.Environment != "test" || s.Crash.Dir != "d" {
		t.Errorf("got %+v", got)
	}
	var shown map[string]struct{ Value, Source string }
	text := got.Static["config.json"]
	if err := json.Unmarshal(text, &shown); err != nil || shown["crash.environment"].Value != `"test"` || !strings.HasPrefix(shown["crash.environment"].Source, "flag") {
		t.Errorf("config.json: %v\n%s", err, text)
	}
	if strings.Contains(string(text), "0123456789abcdef") {
		t.Errorf("config.json tells the secret of the DSN:\n%s", text)
	}
}

func TestCaptureIsOnByDefault(t *testing.T) {
	inTempDir(t)
	s, effective, err := new(configFlags).load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Crash.config(effective)
	if s.Crash.Dir != crashDir || got.NoCores || got.SmallPages || got.Stall != 5*time.Second || got.Deadman != 30*time.Second || s.Ops.Chaos {
		t.Errorf("in %q: %+v, chaos %v", s.Crash.Dir, got, s.Ops.Chaos)
	}
}

func TestCheckConfigNamesBadCrashSettings(t *testing.T) {
	inTempDir(t)
	for _, set := range []string{
		"crash.stall=1ms", "crash.deadman=1s", "crash.sentry_dsn=somewhere", "crash.keep_bundles=0", "crash.keep_bytes=0",
		"crash.keep_cores=0", "crash.keep_core_bytes=-1",
	} {
		key, value, _ := strings.Cut(set, "=")
		got := run("check", "config", "--set", set)
		if got.status != statusUsage || !strings.Contains(got.err, key) {
			t.Errorf("%s: exit status %d, %s", set, got.status, got.err)
		}
		if key == "crash.sentry_dsn" && strings.Contains(got.err, value) {
			t.Errorf("the error tells the DSN: %s", got.err)
		}
	}
}
