package sentry

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	sentrygo "github.com/getsentry/sentry-go"

	"vitrine/crash/scrub"
)

// The limits that are not settings.
const (
	MaxSent         = 4096                 // ids that are remembered after they were sent or dropped
	MaxAside        = 16                   // files set aside; the oldest goes
	MaxFingerprints = 256                  // whose uploads are counted; the one not seen for longest goes
	MaxNames        = 1 << 14              // names of a spool that are looked at
	MaxAge          = 30 * 24 * time.Hour  // of an event in the spool: Sentry takes none that is older
	MaxTries        = 1000                 // attempts to send an event: MaxAge has some 730 at MaxBackOff
	TempAge         = time.Hour            // of a file being written; then its writer is dead
	StateWait       = 5 * time.Second      // nobody waits longer for the state of a spool
	SendWait        = time.Minute          // nor for another sender, whatever its context says
	PostWait        = 30 * time.Second     // one request, of the default client
	FirstBackOff    = 10 * time.Second     // doubled with each failure in a row ...
	MaxBackOff      = time.Hour            // ... up to this
	MaxRetryAfter   = 24 * time.Hour       // what a server may order
	maxCompressed   = 20 << 20             // of an envelope, as Sentry takes it
	maxRaw          = 100 << 20            // of it, not compressed
	maxStateBytes   = 1 << 20              // of a state.json that is read
	maxFlushes      = 100                  // ends of back-offs that are remembered
	lockPoll        = 5 * time.Millisecond // between two tries for a lock
	dirMode         = 0o700
	fileMode        = 0o600
)

// The names in a spool.
const (
	suffix        = ".envelope.gz"
	sentName      = "sent"
	stateName     = "state.json"
	asideName     = "aside"
	lockName      = ".lock"
	stateLockName = ".state.lock"
	tempPrefix    = ".tmp-"
)

// Config says where events go. Spool must be set; zero elsewhere means the default.
type Config struct {
	DSN         string           // https://KEY@HOST/PROJECT; "" = events stay in the spool
	Spool       string           // directory, made with mode 0700
	Environment string           // such as production; no slashes or blanks
	Release     string           // "" = the revision of the build
	Server      string           // name of this server, "" = none
	Budget      int64            // bytes of an event's attachments, compressed; default 10 MB, at most 18 MB
	PerHour     int              // events per fingerprint and hour that are spooled, default 1; the others are counted
	SpoolFiles  int              // envelopes that wait, default 1000; the oldest goes
	SpoolBytes  int64            // bytes of them all, default 256 MB, at least Budget + 2 MB
	Scrub       *scrub.Scrubber  // nil = its defaults
	Client      *http.Client     // nil = one that gives up after PostWait and follows no redirect
	Now         func() time.Time // nil = time.Now
}

// MaxBudget is the most that Config.Budget may be: Sentry takes 20 MB, of which the event itself has some.
const MaxBudget = 18_000_000

// The defaults of Config.
const (
	defaultBudget     = 10_000_000
	maxBudget         = MaxBudget
	defaultPerHour    = 1
	defaultSpoolFiles = 1000
	defaultSpoolBytes = 256_000_000
	overBudget        = 2_000_000 // of an envelope beside its attachments
)

// Sender puts events into a spool and sends them. Any goroutine may call it, and any number of processes may have a
// Sender for the same spool. It runs no goroutine and needs no Close.
type Sender struct {
	config Config        // fixed after New, defaults filled in
	dsn    *sentrygo.Dsn // fixed after New; nil = spool only
	hooks  hooks         // fixed after New; for tests
}

// hooks let tests stand between the steps.
type hooks struct {
	create   func(name string) (output, error) // a new file of the spool
	answered func(id string)                   // the server took it, nobody knows yet
	listed   func(id string)                   // it is in the sent list, and still in the spool
}

// New checks the configuration, naming every bad field, and makes the spool's directory. It sends nothing.
func New(c Config) (*Sender, error) {
	s := &Sender{config: c.withDefaults(), hooks: hooks{
		create:   createFile,
		answered: func(string) {},
		listed:   func(string) {},
	}}
	dsn, err := parseDSN(c.DSN)
	if err := errors.Join(s.config.check(), err); err != nil {
		return nil, fmt.Errorf("sentry: %w", err)
	}
	s.dsn = dsn
	if err := os.MkdirAll(filepath.Join(c.Spool, asideName), dirMode); err != nil {
		return nil, fmt.Errorf("make spool %q: %w", c.Spool, err)
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	c.Budget = or(c.Budget, defaultBudget)
	c.PerHour = or(c.PerHour, defaultPerHour)
	c.SpoolFiles = or(c.SpoolFiles, defaultSpoolFiles)
	c.SpoolBytes = or(c.SpoolBytes, max(defaultSpoolBytes, c.Budget+overBudget))
	if c.Client == nil {
		c.Client = &http.Client{Timeout: PostWait, CheckRedirect: noRedirect}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) check() error {
	var bad []error
	fail := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	if c.Spool == "" {
		fail("Spool is empty")
	}
	if c.Budget < 0 || c.Budget > maxBudget {
		fail("Budget %d: want 1..%d", c.Budget, maxBudget)
	}
	if c.PerHour < 0 {
		fail("PerHour %d is negative", c.PerHour)
	}
	if c.SpoolFiles < 0 || c.SpoolFiles > MaxNames/2 {
		fail("SpoolFiles %d: want 1..%d", c.SpoolFiles, MaxNames/2)
	}
	if c.SpoolBytes < c.Budget+overBudget {
		fail("SpoolBytes %d: want at least %d, one envelope", c.SpoolBytes, c.Budget+overBudget)
	}
	if len(c.Environment) > 64 || strings.ContainsAny(c.Environment, "/ \n") {
		fail("Environment %q: want at most 64 bytes without slash, blank and line feed", c.Environment)
	}
	if len(c.Release) > 200 || strings.ContainsAny(c.Release, "/\\\n\t") {
		fail("Release %q: want at most 200 bytes without slashes, tabs and line feeds", c.Release)
	}
	return errors.Join(bad...)
}

// parseDSN never quotes the DSN, which holds a key.
func parseDSN(text string) (*sentrygo.Dsn, error) {
	if text == "" {
		return nil, nil
	}
	dsn, err := sentrygo.NewDsn(text)
	if err != nil {
		return nil, errors.New("DSN is not of the form https://KEY@HOST/PROJECT")
	}
	return dsn, nil
}

// noRedirect keeps an envelope from going where the DSN does not say.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// or gives the default for a zero value.
func or[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}

func (s *Sender) path(name string) string { return filepath.Join(s.config.Spool, name) }

func (s *Sender) now() time.Time { return s.config.Now() }
