package observe

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vitrine/core/engine"
	"vitrine/crash"
	"vitrine/crash/blackbox"
	"vitrine/crash/monitor"
	"vitrine/logx"
)

// Limits of what a bundle is given.
const (
	maxCrashEvents   = 64        // that wait for the log to open; more are counted
	logSegmentBytes  = 256 << 10 // of the newest file of the log
	crashSessions    = 1000      // ids of each server
	captureExitLimit = time.Second
)

// capture is the crash capture as the stack uses it. [Run] starts it before all else and closes it last. Without
// Config.CrashDir there is none, and every method does nothing.
//
//	crash.Event ------> pending until the log is open ---> log lines of type crash
//	log, INFO and up -> notes, masked -------------------> the bundle's log.tail
//	workers ----------> beats, memory of keys -----------> the black box
//	/status, ids -----> sources, asked for each bundle --> metrics.json, sessions.json
type capture struct {
	process *crash.Process        // fixed after startCapture; nil = none
	stack   atomic.Pointer[Stack] // whose figures are told; nil before there is one

	mu      sync.Mutex
	log     *slog.Logger  // guarded by mu; nil before the log is open
	pending []crash.Event // guarded by mu; at most maxCrashEvents
	unsaid  uint64        // guarded by mu: events beyond them
	numbers uint64        // guarded by mu: of pieces of secret memory given out
}

// startCapture begins the capture where one is asked for. The error is that of a configuration that makes no sense, or that the
// process has a capture already.
func startCapture(cfg *Config, boot uint64) (*capture, error) {
	c := &capture{}
	if cfg.CrashDir == "" {
		return c, nil
	}
	settings := cfg.Crash
	settings.Dir, settings.Boot, settings.Notify = cfg.CrashDir, boot, c.notify
	settings.Files = append(slices.Clone(settings.Files), logFiles(cfg)...)
	settings.Sources = map[string]func() ([]byte, error){"metrics.json": c.figures, "sessions.json": c.sessions}
	maps.Copy(settings.Sources, cfg.Crash.Sources)
	if settings.Metrics == nil {
		settings.Metrics = c.metrics
	}
	process, err := crash.Start(settings)
	if err != nil {
		return nil, err
	}
	c.process = process
	return c, nil
}

// logFiles names the file of the log that is written to, for the monitor, which has another working directory.
func logFiles(cfg *Config) []monitor.FileSource {
	dir, err := filepath.Abs(cfg.LogDir)
	if cfg.LogDir == "" || cfg.Log != nil || err != nil {
		return nil
	}
	return []monitor.FileSource{{Name: "log.segment", Pattern: filepath.Join(literal(dir), "*.log"), Max: logSegmentBytes}}
}

// literal makes a path a pattern that matches it alone.
func literal(path string) string {
	if runtime.GOOS == "windows" { // where a backslash escapes nothing
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// notify logs an event, at once or as soon as the log is open. Any goroutine.
func (c *capture) notify(e crash.Event) {
	c.mu.Lock()
	log := c.log
	switch {
	case log != nil:
	case len(c.pending) < maxCrashEvents:
		c.pending = append(c.pending, e)
	default:
		c.unsaid++
	}
	c.mu.Unlock()
	if log != nil {
		tellEvent(log, e)
	}
}

func tellEvent(log *slog.Logger, e crash.Event) {
	log.Log(context.Background(), e.Level, e.Message, append(slices.Clone(e.Attrs), slog.String(logx.TypeKey, typeCrash))...)
}

// speak has events go to a log from now on, beginning with those that waited for one.
func (c *capture) speak(log *slog.Logger) {
	c.mu.Lock()
	c.log = log
	pending, unsaid := c.pending, c.unsaid
	c.pending, c.unsaid = nil, 0
	c.mu.Unlock()
	for _, e := range pending {
		tellEvent(log, e)
	}
	if unsaid > 0 {
		log.Warn("events of the crash capture not logged", "events", unsaid, logx.TypeKey, typeCrash)
	}
}

// close ends the capture.
func (c *capture) close() { c.process.Close() }

// leave ends the capture of a process that is about to exit, as far as that can be had at once: what comes is no crash. What
// Close would have removed in the end is removed, so that no later start takes it for the remains of one.
func (c *capture) leave() {
	closed := make(chan struct{})
	go func() { // ends with Close; the process ends before, where that lasts
		c.close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(captureExitLimit):
		os.RemoveAll(c.process.RunDir()) // what cannot be removed is a crash to the next start: better than to wait for it
	}
}

// figures is metrics.json: all of /status.
func (c *capture) figures() ([]byte, error) {
	st := c.stack.Load()
	if st == nil {
		return nil, nil
	}
	return json.Marshal(st.Status())
}

// metrics is what the black box is told once a second: /status without what is told of each worker, which has no room there.
func (c *capture) metrics() []byte {
	st := c.stack.Load()
	if st == nil {
		return nil
	}
	status := st.Status()
	for i := range status.Servers {
		s := &status.Servers[i]
		s.Workers = nil
		for p := range s.Pools {
			s.Pools[p].Cached = nil
		}
	}
	text, err := json.Marshal(status)
	if err != nil {
		return nil // a gauge that is no number
	}
	return text
}

// sessions is sessions.json: ids of sessions that are there.
func (c *capture) sessions() ([]byte, error) {
	st := c.stack.Load()
	if st == nil {
		return nil, nil
	}
	return json.Marshal(st.Sessions(crashSessions))
}

// observe adds to a server's hooks what the black box is told of its workers.
func (c *capture) observe(server string, o *engine.Observer) {
	if c.process == nil {
		return
	}
	o.Beat = func(worker int) engine.Beat {
		suffix := "/" + strconv.Itoa(worker)
		return c.process.Loop(strings.ToValidUTF8(server[:min(len(server), blackbox.MaxLoopName-len(suffix))], "") + suffix)
	}
	o.Secrets = func(limit int) engine.Secrets { return c.secrets(server, limit) }
}

// secrets gives a server numbers for the memory of its keys, which no core is to hold. They are not given back.
func (c *capture) secrets(server string, limit int) engine.Secrets {
	c.mu.Lock()
	first := c.numbers
	c.numbers += uint64(limit)
	end := c.numbers
	c.mu.Unlock()
	if end > blackbox.MaxExcluded {
		c.notify(crash.Event{Level: slog.LevelWarn, Message: "cores may hold keys of sessions", Attrs: []any{
			"server", server, "keys", limit, "room", max(int(blackbox.MaxExcluded)-int(first), 0),
		}})
	}
	return func(number int, addr, size uintptr) { c.process.Exclude(first+uint64(number), addr, size) }
}

// FlightDir returns where a server keeps its packet records, for engine.Config.FlightDir: the directory given or, when that is
// "", one that every bundle has the records from. It is "" where there is no crash capture: the records are in memory.
func (st *Stack) FlightDir(dir string) string {
	if dir != "" {
		return dir
	}
	return st.capture.process.RunDir()
}

// CrashStatus is what /status says of the crash capture.
type CrashStatus struct {
	Dir      string `json:"dir"`       // of the bundles; "" = no capture
	Monitors int    `json:"monitors"`  // that run; 2 when all is well
	Ptrace   string `json:"ptrace"`    // "yes" when cores can be taken, else why not; "" until that was tried
	Panics   uint64 `json:"panics"`    // caught
	HeldBack uint64 `json:"held_back"` // of these counted and not reported, being one of many
	Bundles  uint64 `json:"bundles"`   // written while the process lives
	Lost     uint64 `json:"lost"`      // reports that could not be made
}

// status reads the figures of the capture.
func (c *capture) status() CrashStatus {
	s := c.process.Stats()
	return CrashStatus{
		Dir: c.process.Dir(), Monitors: s.Monitors, Ptrace: s.Ptrace,
		Panics: s.Panics, HeldBack: s.HeldBack, Bundles: s.Bundles, Lost: s.Lost,
	}
}
