package crash

import (
	"errors"
	"fmt"
	"os"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
	"vitrine/crash/probe"
	"vitrine/crash/scrub"
	"vitrine/crash/sentry"
)

// Config describes what is kept of a crash. The zero value is usable.
type Config struct {
	// Dir is the directory of the bundles, made with mode 0700; default "var/crash". Processes may share it.
	Dir string
	// RunDir is where the directory of this process's black box is made; default on a tmpfs where there is one, since
	// a slow disk must not hold up who writes there, else in Dir.
	RunDir string
	// Name names the process in bundles; default the name of the program.
	Name string
	// Boot is the id of this run from which trace ids are derived; 0 = none.
	Boot uint64

	// Files are copied into each bundle by the monitor, of a dead process too.
	Files []monitor.FileSource
	// Static are files of each bundle whose content does not change, such as config.json. They hold nothing secret: they
	// are not scrubbed.
	Static map[string][]byte
	// Sources give files of bundles of a process that lives, by name. They run on a goroutine of their own, all together for at most
	// a second.
	Sources map[string]func() ([]byte, error)
	// Metrics gives the last figures as JSON once a second, for the black box; nil = none.
	Metrics func() []byte

	// Limits bound the bundles.
	Limits bundle.Limits
	// NoCores leaves cores out.
	NoCores bool
	// NoKernelCore keeps the exit status of a crash where no core of ours can be had. By default a process that may not be traced, as
	// in a container whose profile refuses ptrace, and whose core the kernel would keep (core_pattern, RLIMIT_CORE), ends its
	// crashes by SIGABRT, status 134 in the place of 2, so that the kernel writes it. With NoCores there is none either.
	// GOTRACEBACK=crash in the environment has the same effect, with or without.
	NoKernelCore bool
	// SmallPages leaves memory where the kernel puts it. By default it is moved onto pages of 2 MiB, at most 3 % of a core's time being
	// spent on that: the picture of a living process of 500 MB then stops it for a few milliseconds instead of some twenty.
	SmallPages bool
	// Scrub says what is secret beyond what always is.
	Scrub scrub.Config
	// Sentry says where reports go; without a DSN they wait in the spool.
	Sentry monitor.Sentry

	// Stall is how long a loop may be in one turn before it is reported; default 5 s, negative = never.
	Stall time.Duration
	// KillStalled ends the process by SIGABRT after such a report.
	KillStalled bool
	// Deadman ends the process by SIGKILL when its runtime or its crash has stood still for so long; default 30 s, at least
	// 3 s, negative = never. It must be off, or long, for a process that is stopped by a debugger; one that is traced
	// at the start has none. A process that SIGSTOP or a container's pause holds for longer is ended too.
	Deadman time.Duration
	// MaxStack is the most bytes of a goroutine's stack; default 64 MiB, negative = as the runtime has it.
	MaxStack int
	// PanicEvery is how long after a panic was reported others of its kind are only counted; default a minute.
	PanicEvery time.Duration
	// Notify is told what the log should say; nil = slog's default logger. It is called from several goroutines.
	Notify func(Event)
}

// The defaults of Config.
const (
	DefaultDir        = "var/crash"
	DefaultStall      = 5 * time.Second
	DefaultDeadman    = 30 * time.Second
	MinDeadman        = 3 * time.Second
	DefaultMaxStack   = 64 << 20
	DefaultPanicEvery = time.Minute
	// DefaultPanicsPerHour is how many panics of all kinds are reported in an hour, as Limits.BundlesPerHour says.
	DefaultPanicsPerHour = 20
	// DefaultUploadsPerHour is how many reports of one fingerprint are sent in an hour; the next one that is tells how many were not.
	DefaultUploadsPerHour = 1
)

// withDefaults fills in what is zero and reports every field that makes no sense.
func (c Config) withDefaults() (Config, error) {
	setDefault(&c.Dir, DefaultDir)
	setDefault(&c.Name, programName())
	setDefault(&c.Stall, DefaultStall)
	setDefault(&c.Deadman, DefaultDeadman)
	setDefault(&c.MaxStack, DefaultMaxStack)
	setDefault(&c.PanicEvery, DefaultPanicEvery)
	setDefault(&c.Limits.BundlesPerHour, DefaultPanicsPerHour)
	setDefault(&c.Sentry.PerHour, DefaultUploadsPerHour)
	if c.Notify == nil {
		c.Notify = logEvent
	}
	problems := []error{c.Limits.Validate()}
	if c.Sentry.PerHour < 0 || c.Sentry.Budget < 0 || c.Sentry.Budget > MaxAttachmentBytes {
		problems = append(problems, fmt.Errorf("reports with %d bytes of attachments, %d in an hour: at most %d bytes, and 1 or more",
			c.Sentry.Budget, c.Sentry.PerHour, MaxAttachmentBytes))
	}
	if c.Deadman > 0 && c.Deadman < MinDeadman {
		problems = append(problems, fmt.Errorf("deadman of %v: at least %v, or negative for none", c.Deadman, MinDeadman))
	}
	if c.Stall > 0 && c.Stall < minStall {
		problems = append(problems, fmt.Errorf("stall of %v: at least %v, or negative for never", c.Stall, minStall))
	}
	if c.MaxStack > 0 && c.MaxStack < minStack {
		problems = append(problems, fmt.Errorf("max stack of %d bytes: at least %d", c.MaxStack, minStack))
	}
	return c, errors.Join(problems...)
}

// aborting says of what the machine can do whether this process will end its crashes by SIGABRT.
func (c Config) aborting(can probe.Capabilities) probe.Capabilities {
	can.Aborts = os.Getenv("GOTRACEBACK") == "crash" || can.InPlace() && !c.NoCores && !c.NoKernelCore
	return can
}

// MaxAttachmentBytes is the most that Sentry takes of an event's attachments, compressed.
const MaxAttachmentBytes = sentry.MaxBudget

const (
	minStall = 50 * time.Millisecond
	minStack = 1 << 20
)

func setDefault[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}
