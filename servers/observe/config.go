package observe

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"vitrine/crash"
	"vitrine/logx"
	"vitrine/logx/record"
)

const (
	// DefaultOpsAddr is where [Main] listens for ops HTTP.
	DefaultOpsAddr = "127.0.0.1:8080"
	// DefaultLogDir is where [Main] keeps the system log, in the working directory.
	DefaultLogDir = "var/log"
	// DefaultCrashDir is where [Main] keeps the bundles of crashes, in the working directory.
	DefaultCrashDir = "var/crash"
)

// defaultStopTimeout is how long the servers have to drain.
const defaultStopTimeout = 10 * time.Second

// Config describes a Stack. The zero value has no ops HTTP, logs to stderr alone and captures no crashes.
type Config struct {
	// OpsAddr is the host:port of the ops HTTP, port 0 for any free one; default "", no ops HTTP. A host that is not
	// loopback is allowed and logged.
	OpsAddr string

	// LogDir is the directory of the system log, made where there is none; default "", no files. One process at a time
	// writes to it: Run fails with [segment.ErrInUse] while another has it. Where the files cannot be opened for another
	// reason, Run goes on without them and says so as an ERROR and in /status.
	LogDir string
	// Journal says how the system log is kept; LogDir takes the place of its Dir. The least level is Info as in logx, but
	// for type session it is Debug unless TypeLevels is set, so that every join and leave is there.
	Journal logx.Config
	// LogLevel is the least level that stderr shows; default Info, which ordinary joins and leaves are below. It is read
	// for each line. Of lines of one type and message stderr shows ten a second, and how many more there were.
	LogLevel slog.Leveler
	// LogOTLP is the URL of a collector of OpenTelemetry that gets every line of WARN and above by OTLP/HTTP, such as
	// http://127.0.0.1:4318; the path is /v1/logs where it has none. Default "", none. Credentials are taken from the variable
	// OTEL_EXPORTER_OTLP_HEADERS, names from OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES. Lines wait in a queue of 2,048;
	// what it has no room for and what the collector does not take are counted, and nothing waits for either.
	LogOTLP string
	// MaskKeys are keys whose values are secrets beside those of [logx.DefaultMask], in the form of [logx.HandlerConfig]: of
	// each line, files, stderr, collector and bundles get "***" in their place. Default none; what Log gets is not masked.
	MaskKeys []string
	// Log takes the lines instead of LogDir and stderr, all that it wants. It is called from the goroutines of workers and
	// must be safe for that.
	Log slog.Handler

	// CrashDir is the directory of the bundles that crashes and panics leave; default "", no capture. Processes may share it.
	// A program that sets it calls [crash.ServeMonitor] first of all in main, as its tests do in TestMain: the process that
	// watches over it is the same program run again.
	CrashDir string
	// Crash says what is captured; CrashDir takes the place of its Dir, and Boot and Notify are the stack's. Bundles have
	// metrics.json, sessions.json and the end of the log's newest file beside Crash's own Sources and Files.
	Crash crash.Config

	// Chaos puts a page under the ops HTTP that makes servers panic, for drills; see [Stack.AddChaos].
	Chaos bool

	// StopTimeout is how long all servers together have to drain; default 10 s.
	StopTimeout time.Duration

	signals chan os.Signal   // what Run listens to instead of the system's signals; tests alone set it
	exit    func(code int)   // what a second signal calls; os.Exit unless a test sets it
	now     func() time.Time // the clock of signals; time.Now unless a test sets it
	console io.Writer        // instead of stderr; tests alone set it
}

// Validate reports every problem of the configuration at once; what Run finds when it opens files is not among them.
func (c Config) Validate() error {
	_, err := c.withDefaults()
	return err
}

// withDefaults returns the configuration with every zero replaced, or every problem at once.
func (c Config) withDefaults() (Config, error) {
	if c.StopTimeout == 0 {
		c.StopTimeout = defaultStopTimeout
	}
	if c.LogLevel == nil {
		c.LogLevel = slog.LevelInfo
	}
	if c.exit == nil {
		c.exit = os.Exit
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.console == nil {
		c.console = os.Stderr
	}
	c.Journal.Dir = c.LogDir
	if c.Journal.TypeLevels == nil {
		c.Journal.TypeLevels = map[string]record.Level{typeSession: record.Debug}
	}
	var problems []error
	if c.StopTimeout < 0 {
		problems = append(problems, fmt.Errorf("stop timeout is %v, want more than 0", c.StopTimeout))
	}
	if c.OpsAddr != "" {
		if _, _, err := net.SplitHostPort(c.OpsAddr); err != nil {
			problems = append(problems, fmt.Errorf("ops address: %w", err))
		}
	}
	if c.LogOTLP != "" {
		if _, err := collectorURL(c.LogOTLP); err != nil {
			problems = append(problems, fmt.Errorf("log collector: %w", err))
		}
	}
	for _, key := range c.MaskKeys {
		if strings.Trim(key, "*-_") == "" {
			problems = append(problems, fmt.Errorf("mask key %q names nothing", key))
		}
	}
	return c, errors.Join(problems...)
}

// mask returns the keys whose values are secrets.
func (c *Config) mask() []string { return append(logx.DefaultMask(), c.MaskKeys...) }
