package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"vitrine/core/config"
	"vitrine/logx"
	"vitrine/servers/observe"
)

// reloader brings changes of the configuration to servers that run. Its fields are owned by the stack's reload goroutine.
type reloader struct {
	stack     *observe.Stack
	console   *slog.LevelVar // of standard error
	effective *config.Effective
	inUse     settings
	servers   []*running
}

// reloadOnHangup has SIGHUP read the configuration again for these servers. The settings they were started with stay as
// they are: others read them.
func reloadOnHangup(st *observe.Stack, s *settings, effective *config.Effective, console *slog.LevelVar, servers ...*running) {
	r := &reloader{stack: st, console: console, effective: effective, inUse: *s, servers: servers}
	st.OnReload(r.reload)
}

// reload applies what needs no restart, and logs that and the rest. The error names everything that is wrong with the
// configuration; then nothing has changed.
func (r *reloader) reload() error {
	next := r.inUse
	applied, needRestart, err := r.effective.Reload(&next)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	r.inUse = next
	if err := r.apply(&next); err != nil {
		return err
	}
	r.tell(logx.LevelSystem, "setting changed", applied) // whatever the levels are now
	r.tell(slog.LevelWarn, "setting needs a restart", needRestart)
	return nil
}

// apply sets the levels of the log and the limits of every server. What the settings' Validate let pass, no server refuses.
func (r *reloader) apply(s *settings) error {
	s.Log.setLevels(r.stack.Journal(), r.console)
	var problems []error
	for _, one := range r.servers {
		problems = append(problems, one.server.SetLimits(s.plan(one.table).settings.limits()))
	}
	return errors.Join(problems...)
}

// tell logs one line per change.
func (r *reloader) tell(level slog.Level, message string, changes []config.Change) {
	for _, c := range changes {
		if !r.concerns(c.Key) {
			continue
		}
		r.stack.Logger().LogAttrs(context.Background(), level, message, slog.String("key", c.Key), slog.String("old", c.Old),
			slog.String("new", c.New), slog.String("source", c.Source.String()), slog.String("type", typeConfig))
	}
}

// concerns reports whether a key is of one of the running servers or of no server.
func (r *reloader) concerns(key string) bool {
	in := func(table string) bool { return strings.HasPrefix(key, table+".") }
	if slices.ContainsFunc(r.servers, func(one *running) bool { return in(one.table) }) {
		return true
	}
	return !slices.ContainsFunc(r.inUse.plans(), func(p plan) bool { return in(p.table) })
}

// typeConfig is the type of log lines about the configuration.
const typeConfig = "config"
