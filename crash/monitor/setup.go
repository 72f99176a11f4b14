package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vitrine/crash/bundle"
)

// The files of a run directory, beside *.flight.
const (
	BoxName   = "box"
	setupName = "setup.json"
)

// Save writes the setup into its run directory, for monitors that come after all of this run's are gone.
func (s *Setup) Save() error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode setup: %w", err)
	}
	if err := os.WriteFile(filepath.Join(s.RunDir, setupName), data, 0o600); err != nil {
		return fmt.Errorf("save setup: %w", err)
	}
	return nil
}

// LoadSetup reads the setup of a run directory.
func LoadSetup(runDir string) (*Setup, error) {
	f, err := os.Open(filepath.Join(runDir, setupName))
	if err != nil {
		return nil, fmt.Errorf("load setup: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > MaxFrame {
		return nil, fmt.Errorf("load setup of %q: not a file of a setup", runDir)
	}
	s := new(Setup)
	if err := json.NewDecoder(f).Decode(s); err != nil {
		return nil, fmt.Errorf("load setup of %q: %w", runDir, err)
	}
	return s, nil
}

// orphans makes bundles of the runs beside this one whose process died together with its monitors, and removes what they left.
func (s *Setup) orphans(alive func(pid int) bool) error {
	runs, err := filepath.Glob(filepath.Join(filepath.Dir(s.RunDir), "*-*"))
	if err != nil {
		return err
	}
	var problems []error
	for _, run := range runs {
		info, err := os.Lstat(run)
		if run == s.RunDir || err != nil || !info.IsDir() || time.Since(info.ModTime()) < orphanAge {
			continue
		}
		if err := orphan(run, alive); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// orphanAge is how long a run directory is left alone: its monitors may be at work. They touch it when they begin.
const orphanAge = WorkLimit + time.Minute

// heardName is the file of the run directory that keeps what was read of a crash pipe.
const heardName = "heard.txt"

// heard tells whether a monitor has heard of the death, though the pipe may be empty by now.
func (s *Setup) heard() bool {
	info, err := os.Stat(filepath.Join(s.RunDir, heardName))
	return err == nil && info.Size() > 0
}

// orphan makes a bundle of one run, if its process is dead.
func orphan(run string, alive func(pid int) bool) error {
	s, err := LoadSetup(run)
	if err != nil || s.RunDir != run {
		return err
	}
	if alive(s.Process.PID) {
		return nil
	}
	if path := s.progress().Path; path != "" {
		return errors.Join(s.follow(path), os.RemoveAll(run))
	}
	now := time.Now()
	r := newReport(s, now)
	r.meta.Class, r.meta.ReasonHow = bundle.ClassKilled, "exit"
	r.meta.Reason = "ended without a word, and its monitors with it: all were killed, or the container stopped"
	r.meta.Core.Why = "nothing was left to take one of"
	j := begin(s, r, now, func() {})
	if text, err := os.ReadFile(filepath.Join(run, heardName)); err == nil && len(text) > 0 {
		j.hear(text, 0)
		d := death{text: text, dump: r.dump}
		r.meta.Class, r.meta.Reason, r.meta.ReasonHow = d.classify()
	}
	err = unlessHeldBack(j.finish())
	return errors.Join(err, os.RemoveAll(run))
}
