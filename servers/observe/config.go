package observe

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"
)

// DefaultOpsAddr is where [Main] listens for ops HTTP.
const DefaultOpsAddr = "127.0.0.1:8080"

// defaultStopTimeout is how long the servers have to drain.
const defaultStopTimeout = 10 * time.Second

// Config describes a Stack. The zero value has no ops HTTP and logs to stderr.
type Config struct {
	// OpsAddr is the host:port of the ops HTTP, port 0 for any free one; default "", no ops HTTP. A host that is not
	// loopback is allowed and logged.
	OpsAddr string
	// Log takes the log lines; default lines of text on stderr. It is called from the goroutines of workers and must
	// be safe for that.
	Log slog.Handler
	// LogLevel is the least level that the default log shows; default Info. Ordinary joins and leaves are at Debug.
	LogLevel slog.Leveler
	// StopTimeout is how long all servers together have to drain; default 10 s.
	StopTimeout time.Duration

	signals chan os.Signal // what Run listens to instead of the system's signals; tests alone set it
	exit    func(code int) // what a second signal calls; os.Exit unless a test sets it
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
	var problems []error
	if c.StopTimeout < 0 {
		problems = append(problems, fmt.Errorf("stop timeout is %v, want more than 0", c.StopTimeout))
	}
	if c.OpsAddr != "" {
		if _, _, err := net.SplitHostPort(c.OpsAddr); err != nil {
			problems = append(problems, fmt.Errorf("ops address: %w", err))
		}
	}
	return c, errors.Join(problems...)
}
