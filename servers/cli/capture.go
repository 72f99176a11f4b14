package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	sentrygo "github.com/getsentry/sentry-go"
	"vitrine/core/config"
	"vitrine/crash"
	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
	"vitrine/crash/scrub"
)

// captureSettings say what is kept of a crash.
type captureSettings struct {
	Dir         string        `toml:"dir" default:"var/crash" help:"directory of the bundles that crashes leave, shared by processes; empty for no capture"`
	RunDir      string        `toml:"run_dir" help:"directory of the memory that the monitors read when the process has died; empty for /dev/shm, or dir where there is none"`
	Cores       bool          `toml:"cores" default:"true" help:"keep cores, which Delve opens; they hold all of the process's memory"`
	KernelCore  bool          `toml:"kernel_core" default:"true" help:"where ptrace is refused and core_pattern and RLIMIT_CORE keep cores, end a crash by SIGABRT, status 134 instead of 2, so that the kernel writes its own"`
	HugePages   bool          `toml:"huge_pages" default:"true" help:"move memory onto pages of 2 MiB, which makes a core of a living process stop it for a shorter time"`
	Stall       time.Duration `toml:"stall" default:"5s" help:"a worker that is in one turn for so long is reported; 0 for never"`
	KillStalled bool          `toml:"kill_stalled" help:"end the process after such a report"`
	Deadman     time.Duration `toml:"deadman" default:"30s" help:"a process that has stood still for so long is killed; 0 for never, as under a debugger"`

	SentryDSN   string `toml:"sentry_dsn" secret:"true" help:"where reports are sent, https://KEY@HOST/PROJECT; empty keeps them here"`
	Environment string `toml:"environment" help:"what reports call this installation, such as production"`

	KeepBundles   int          `toml:"keep_bundles" default:"100" help:"bundles that are kept, the newest"`
	KeepBytes     config.Bytes `toml:"keep_bytes" default:"256MiB" help:"bytes of them all, without cores"`
	KeepCores     int          `toml:"keep_cores" default:"3" help:"cores that are kept"`
	KeepCoreBytes config.Bytes `toml:"keep_core_bytes" default:"4GiB" help:"bytes of them all"`
	FileBytes     config.Bytes `toml:"file_bytes" default:"32MiB" help:"bytes of one file of a bundle, its core aside"`
	FreePercent   int          `toml:"free_percent" default:"10" help:"percent of the disk that cores leave free"`

	BundleEvery    time.Duration `toml:"bundle_every" default:"1m" help:"one bundle of each fingerprint in this time; the others are counted"`
	CoreEvery      time.Duration `toml:"core_every" default:"1h" help:"one core of each fingerprint in this time; the others have text only"`
	BundlesPerHour int           `toml:"bundles_per_hour" default:"20" help:"most bundles of living processes in an hour; the text of a dying one needs no room here"`
	LoopCrashes    int           `toml:"loop_crashes" default:"5" help:"so many deaths within loop_within are a crash loop, which leaves text only"`
	LoopWithin     time.Duration `toml:"loop_within" default:"5m" help:"see loop_crashes"`

	UploadsPerHour  int          `toml:"uploads_per_hour" default:"1" help:"reports of each fingerprint that are sent in an hour; the next one counts the others"`
	AttachmentBytes config.Bytes `toml:"attachment_bytes" default:"10MB" help:"bytes of a report's attachments, compressed"`
}

// minStall is the least time after which a worker counts as stuck.
const minStall = 50 * time.Millisecond

// Validate reports every value that makes no sense.
func (s *captureSettings) Validate() error {
	var problems []error
	check := func(ok bool, key, format string, args ...any) {
		if !ok {
			problems = append(problems, config.Invalid(key, format, args...))
		}
	}
	check(s.Stall == 0 || s.Stall >= minStall, "stall", "is %v, want at least %v or 0", s.Stall, minStall)
	check(s.Deadman == 0 || s.Deadman >= crash.MinDeadman, "deadman", "is %v, want at least %v or 0", s.Deadman, crash.MinDeadman)
	if s.SentryDSN != "" {
		_, err := sentrygo.NewDsn(s.SentryDSN)
		check(err == nil, "sentry_dsn", "is not of the form https://KEY@HOST/PROJECT")
	}
	check(s.KeepBundles > 0, "keep_bundles", "is %d, want 1 or more", s.KeepBundles)
	check(s.KeepBytes > 0, "keep_bytes", "is %v, want 1 or more", s.KeepBytes)
	check(s.KeepCores > 0, "keep_cores", "is %d, want 1 or more; cores = false keeps none", s.KeepCores)
	check(s.KeepCoreBytes > 0, "keep_core_bytes", "is %v, want 1 or more", s.KeepCoreBytes)
	check(s.UploadsPerHour > 0, "uploads_per_hour", "is %d, want 1 or more", s.UploadsPerHour)
	check(s.AttachmentBytes > 0 && s.AttachmentBytes <= crash.MaxAttachmentBytes, "attachment_bytes", "is %v, want 1 to 18MB", s.AttachmentBytes)
	for key, l := range map[string]bundle.Limits{
		"file_bytes": {FileBytes: int64(s.FileBytes)}, "free_percent": {FreePercent: s.FreePercent}, "bundle_every": {BundleEvery: s.BundleEvery},
		"core_every": {CoreEvery: s.CoreEvery}, "bundles_per_hour": {BundlesPerHour: s.BundlesPerHour},
		"loop_crashes": {LoopCrashes: s.LoopCrashes}, "loop_within": {LoopWithin: s.LoopWithin},
	} {
		err := l.Validate()
		check(err == nil, key, "%v", err)
		check(l != bundle.Limits{}, key, "is 0, want more")
	}
	return errors.Join(problems...)
}

// config returns the configuration of the capture; effective is what bundles show of the program's.
func (s *captureSettings) config(effective *config.Effective) crash.Config {
	c := crash.Config{
		RunDir: s.RunDir, NoCores: !s.Cores, SmallPages: !s.HugePages, Stall: orNever(s.Stall), KillStalled: s.KillStalled, Deadman: orNever(s.Deadman),
		NoKernelCore: !s.KernelCore, Limits: s.limits(), PanicEvery: s.BundleEvery,
		Sentry: monitor.Sentry{
			DSN: s.SentryDSN, Environment: s.Environment, PerHour: s.UploadsPerHour, Budget: int64(s.AttachmentBytes),
		},
		Static: map[string][]byte{"config.json": configText(effective)},
	}
	if s.SentryDSN != "" {
		c.Scrub = scrub.Config{Secrets: []string{s.SentryDSN}}
	}
	return c
}

// limits are how much is kept, and how often.
func (s *captureSettings) limits() bundle.Limits {
	return bundle.Limits{
		Bundles: s.KeepBundles, TextBytes: int64(s.KeepBytes), Cores: s.KeepCores, CoreBytes: int64(s.KeepCoreBytes),
		FileBytes: int64(s.FileBytes), FreePercent: s.FreePercent, BundleEvery: s.BundleEvery, CoreEvery: s.CoreEvery,
		BundlesPerHour: s.BundlesPerHour, LoopCrashes: s.LoopCrashes, LoopWithin: s.LoopWithin,
	}
}

// orNever returns a time for which 0 means never as the capture wants it.
func orNever(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

// configText is the effective configuration as JSON: each key, its value and where that came from; secrets are masked.
func configText(effective *config.Effective) []byte {
	type shown struct {
		Value  string `json:"value"` // as TOML
		Source string `json:"source"`
	}
	all := map[string]shown{}
	for _, s := range effective.Settings() {
		all[s.Key] = shown{s.Value, s.Source.String()}
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		panic("cli: " + err.Error()) // of strings alone
	}
	return append(text, '\n')
}

// describe tells where crashes leave their bundles.
func (s *captureSettings) describe(w io.Writer) {
	switch {
	case s.Dir == "":
		fmt.Fprintf(w, "  %-12s no capture\n", "crashes")
	case s.Dir == crashDir:
		fmt.Fprintf(w, "  %-12s %s  vitrine crash\n", "crashes", s.Dir)
	default:
		fmt.Fprintf(w, "  %-12s %s  vitrine crash --dir %s\n", "crashes", s.Dir, s.Dir)
	}
}
