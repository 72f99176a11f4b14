package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"vitrine/crash"
	"vitrine/crash/bundle"
)

const testDSN = "https://0123456789abcdef@sentry.example/42"

func TestCrashSettingsReachTheCapture(t *testing.T) {
	inTempDir(t)
	flags := configFlags{Set: map[string]string{
		"crash.dir": "d", "crash.run_dir": "r", "crash.cores": "false", "crash.huge_pages": "false", "crash.stall": "0", "crash.kill_stalled": "true",
		"crash.deadman": "0", "crash.sentry_dsn": testDSN, "crash.environment": "test", "crash.keep_bundles": "7",
		"crash.keep_bytes": "1MiB", "crash.keep_cores": "2", "crash.keep_core_bytes": "1GiB",
		"crash.kernel_core": "false", "crash.file_bytes": "2MiB", "crash.free_percent": "20", "crash.bundle_every": "2m", "crash.core_every": "3h",
		"crash.bundles_per_hour": "30", "crash.loop_crashes": "6", "crash.loop_within": "7m", "crash.uploads_per_hour": "8",
		"crash.attachment_bytes": "9MB",
	}}
	s, effective, err := flags.load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Crash.config(effective)
	want := bundle.Limits{
		Bundles: 7, TextBytes: 1 << 20, Cores: 2, CoreBytes: 1 << 30, FileBytes: 2 << 20, FreePercent: 20, BundleEvery: 2 * time.Minute,
		CoreEvery: 3 * time.Hour, BundlesPerHour: 30, LoopCrashes: 6, LoopWithin: 7 * time.Minute,
	}
	if got.Limits != want || got.PanicEvery != 2*time.Minute || !got.NoKernelCore || got.Sentry.PerHour != 8 || got.Sentry.Budget != 9e6 {
		t.Errorf("limits %+v, want %+v, of %+v", got.Limits, want, got)
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
	if s.Crash.Dir != crashDir || got.NoCores || got.SmallPages || got.Stall != 5*time.Second || got.Deadman != 30*time.Second || s.Ops.Chaos || got.NoKernelCore {
		t.Errorf("in %q: %+v, chaos %v", s.Crash.Dir, got, s.Ops.Chaos)
	}
}

// The defaults of the table are those that FORMAT.md names and that the capture has by itself.
func TestCrashLimitsDefaultAsTheCaptureDoes(t *testing.T) {
	inTempDir(t)
	s, effective, err := new(configFlags).load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Crash.config(effective)
	want := bundle.Limits{
		Bundles: 100, TextBytes: 256 << 20, FileBytes: 32 << 20, Cores: 3, CoreBytes: 4 << 30, FreePercent: 10, CoreEvery: time.Hour,
		BundleEvery: time.Minute, BundlesPerHour: 20, LoopCrashes: 5, LoopWithin: 5 * time.Minute,
	}
	if got.Limits != want || got.PanicEvery != crash.DefaultPanicEvery || got.Sentry.PerHour != crash.DefaultUploadsPerHour || got.Sentry.Budget != 10e6 {
		t.Errorf("%+v, want limits %+v", got, want)
	}
}

func TestCheckConfigNamesBadCrashSettings(t *testing.T) {
	inTempDir(t)
	for _, set := range []string{
		"crash.stall=1ms", "crash.deadman=1s", "crash.sentry_dsn=somewhere", "crash.keep_bundles=0", "crash.keep_bytes=0",
		"crash.keep_cores=0", "crash.keep_core_bytes=-1", "crash.file_bytes=0", "crash.free_percent=101", "crash.free_percent=0",
		"crash.bundle_every=0", "crash.core_every=-1s", "crash.bundles_per_hour=0", "crash.loop_crashes=101", "crash.loop_within=0",
		"crash.uploads_per_hour=0", "crash.attachment_bytes=19MB",
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
