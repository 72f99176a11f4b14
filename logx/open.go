package logx

import (
	"errors"
	"fmt"
	"strings"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// baseDigits is the length of a file's name without its suffix, for both formats.
const baseDigits = 20

// Open makes the directory the caller's, brings its files in order after a crash, writes what the last owner's ring still
// holds, and starts the writer. segment.ErrInUse says that another process, or another Log, has the directory. The caller
// closes the Log. What had to be mended is in Recovered, and the first records tell of it: WARN for the traces of a death, ERROR
// and a line to Config.Complain for damage that has cost records.
func Open(c Config) (*Log, error) {
	if err := c.fill(); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	types, err := record.NewTypes(c.Types...)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	lock, err := segment.Lock(c.FS, c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	l := &Log{
		cfg: c, types: types, lock: lock, wake: make(chan struct{}, 1),
		stop: make(chan struct{}), done: make(chan struct{}), complain: complainer{out: c.Complain},
	}
	if err = l.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open log %q: %w", c.Dir, err), lock.Close())
	}
	return l, nil
}

// start does what needs the lock.
func (l *Log) start() error {
	if err := l.setLevels(); err != nil {
		return err
	}
	files, err := l.openOutput()
	if err != nil {
		return err
	}
	next, err := l.replay(files, l.found.Next)
	if err == nil {
		next, err = l.leap(files, next)
	}
	if err != nil {
		return errors.Join(err, files.Close())
	}
	if l.ring, err = l.newRing(next); err != nil {
		return errors.Join(err, files.Close())
	}
	l.counters.written.Store(next - 1)
	l.writer = newWriter(l, files, next)
	go l.writer.run() // Ends with Close.
	l.tellRecovery()
	return nil
}

func (l *Log) setLevels() error {
	l.general = l.cfg.Level
	for name, level := range l.cfg.TypeLevels {
		typ, ok := l.types.Parse(name)
		if !ok {
			return fmt.Errorf("level for the unknown type %q", name)
		}
		l.own[typ] = level
	}
	l.applyLevels()
	return nil
}

// openOutput opens the files and sets found.
func (l *Log) openOutput() (output, error) {
	if err := l.oneFormat(); err != nil {
		return nil, err
	}
	notify := func(err error) { l.complain.say("%v", err) }
	if l.cfg.Format == Text {
		files, found, err := openText(&l.cfg, l.types)
		l.found = found
		return files, err
	}
	files, found, err := segment.OpenWriter(l.cfg.segments(l.types, notify), l.lock)
	l.found = found
	return files, err
}

// oneFormat refuses a directory whose files are of the other format: their indexes would begin again.
func (l *Log) oneFormat() error {
	entries, err := l.cfg.FS.ReadDir(l.cfg.Dir)
	if err != nil {
		return err
	}
	others := []string{textSuffix}
	if l.cfg.Format == Text {
		others = []string{".log", ".log.zst"}
	}
	for _, entry := range entries {
		for _, suffix := range others {
			if base, ok := strings.CutSuffix(entry.Name(), suffix); ok && len(base) == baseDigits {
				return fmt.Errorf("it holds %q, of the other format: choose another directory", entry.Name())
			}
		}
	}
	return nil
}

// Recovered returns what Open found and mended.
func (l *Log) Recovered() segment.Recovery { return l.found }

// Close writes everything that was accepted, ends the writer and lets the directory go. Calls of Write that come later are
// dropped and counted. When the files do not take the rest within two seconds, the error says how many records wait in the
// ring's file, where the next Open finds them. More calls return the same.
func (l *Log) Close() error {
	l.closing.Do(func() {
		l.closed.Store(true)
		l.room.open()
		close(l.stop)
	})
	<-l.done
	if l.closeErr != nil {
		return fmt.Errorf("close log: %w", l.closeErr)
	}
	return nil
}
