package observe

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"

	"vitrine/logx"
	"vitrine/logx/segment"
)

// journal is where the log lines of a process go. [Run] opens it first and closes it last.
//
//	            +--> file: Config.LogDir, every line by its own levels
//	logger --> fanout --> console: stderr, from Config.LogLevel, repeats held back
//	            +--> collector: Config.LogOTLP, WARN and above
//	            +--> notes: the black box of the crash capture, INFO and above
//
// With Config.Log that handler stands in the place of the first two.
type journal struct {
	log      *slog.Logger // fixed: gives to all of them
	local    *slog.Logger // fixed: to all but the collector, for what concerns it
	console  *slog.Logger // fixed: to people alone
	dir      string       // fixed: Config.LogDir
	file     *logx.Log    // fixed; nil = none
	first    uint64       // fixed: index of the first record of this run
	broken   error        // fixed: why there is no file where one was asked for
	exporter *exporter    // fixed; nil = none
}

// openJournal opens the files and begins to export. The error is that of a directory that is in use, or of a bad collector.
func openJournal(cfg *Config, boot uint64, c *capture) (*journal, error) {
	j := &journal{dir: cfg.LogDir}
	var branches []logx.Branch
	if cfg.Log != nil {
		branches = []logx.Branch{{Handler: cfg.Log}}
		j.dir, j.console = "", slog.New(cfg.Log)
	} else {
		if err := j.openFile(&cfg.Journal); err != nil {
			return nil, err
		}
		branches = j.branches(cfg)
	}
	if c.process != nil {
		branches = append(branches, logx.Branch{Handler: newNotes(c.process, cfg.mask()), Level: slog.LevelInfo})
	}
	j.local = slog.New(logx.NewFanout(branches...))
	j.log = j.local
	if cfg.LogOTLP != "" {
		if err := j.openExporter(cfg, boot, branches); err != nil {
			return nil, errors.Join(err, j.closeFile())
		}
	}
	if j.broken != nil {
		system(j.log, slog.LevelError, "log file not opened, going on without it", slog.String("dir", j.dir), failure(j.broken))
	}
	return j, nil
}

// openFile sets file, or broken: a game does not stay down for its log, except where two would write into one.
func (j *journal) openFile(c *logx.Config) error {
	if c.Dir == "" {
		return nil
	}
	file, err := logx.Open(*c)
	if errors.Is(err, segment.ErrInUse) {
		return fmt.Errorf("%w: give this process another log directory", err)
	}
	if err != nil {
		j.broken = err
		return nil
	}
	j.file, j.first = file, file.Stats().Next
	return nil
}

// branches returns file and console.
func (j *journal) branches(cfg *Config) []logx.Branch {
	console := logx.ConsoleConfig{HandlerConfig: logx.HandlerConfig{Mask: cfg.mask()}, Level: cfg.LogLevel}
	console.Repeat.Records = linesPerSecond
	var branches []logx.Branch
	if j.file != nil {
		console.Types = j.file.Types()
		branches = append(branches, logx.Branch{Handler: j.file.NewHandler(logx.HandlerConfig{Mask: cfg.mask()})})
	}
	screen := logx.NewConsole(cfg.console, console)
	j.console = slog.New(screen)
	return append(branches, logx.Branch{Handler: screen})
}

func (j *journal) openExporter(cfg *Config, boot uint64, branches []logx.Branch) error {
	var err error
	if j.exporter, err = newExporter(cfg.LogOTLP, boot, j.local, cfg.mask()); err != nil {
		return err
	}
	export := logx.Branch{Handler: j.exporter.handler(), Level: slog.LevelWarn}
	j.log = slog.New(logx.NewFanout(append(branches, export)...))
	return nil
}

// close says what the console holds back, lets the collector have what waits for it, for a bounded time, and closes the
// files. What goes wrong is said on the console: nobody can do anything about it any more.
func (j *journal) close() {
	logx.EndRepeat(j.local.Handler())
	if j.exporter != nil {
		j.exporter.close()
	}
	if err := j.closeFile(); err != nil {
		system(j.console, slog.LevelError, "log file not closed in good order", slog.String("dir", j.dir), failure(err))
	}
}

func (j *journal) closeFile() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

// takeDefault makes the logger that of slog and of package log, and returns what undoes it.
func takeDefault(l *slog.Logger) (restore func()) {
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(l)
	return func() {
		slog.SetDefault(before)
		log.SetOutput(out)
		log.SetFlags(flags)
	}
}

// system logs a line of type system.
func system(l *slog.Logger, level slog.Level, message string, attrs ...slog.Attr) {
	l.LogAttrs(context.Background(), level, message, append(attrs, slog.String(logx.TypeKey, typeSystem))...)
}
