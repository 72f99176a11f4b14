package monitor

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"vitrine/crash/bundle"
)

// orphans makes bundles of the runs beside this one whose process died together with its monitors, and removes what they left.
func (s *Setup) orphans() error {
	runs, err := filepath.Glob(filepath.Join(filepath.Dir(s.RunDir), "*-*"))
	if err != nil {
		return err
	}
	var problems []error
	for _, run := range runs {
		if run == s.RunDir {
			continue
		}
		if err := orphan(run); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// orphan makes a bundle of one run, if its process and all monitors are dead.
func orphan(run string) error {
	s, err := LoadSetup(run)
	if err != nil || s.RunDir != run {
		return err
	}
	hold, err := takeRun(run)
	if err != nil || hold == nil {
		return err
	}
	defer hold.Close()
	if path := s.progress().Path; path != "" {
		return errors.Join(s.follow(path), os.RemoveAll(run))
	}
	now := time.Now()
	r := newReport(s, now)
	r.meta.Class, r.meta.ReasonHow = bundle.ClassKilled, "exit"
	r.meta.Reason = "ended without a word, and its monitors with it: all were killed, or the container stopped"
	r.meta.Core.Why = nothingLeft
	r.cgroupOf(run)
	j := begin(s, r, now, func() {})
	if text, err := os.ReadFile(filepath.Join(run, heardName)); err == nil && len(text) > 0 {
		j.hear(text, 0)
		d := death{text: text, dump: r.dump}
		r.meta.Class, r.meta.Reason, r.meta.ReasonHow = d.classify()
	}
	err = unlessHeldBack(j.finish())
	return errors.Join(err, os.RemoveAll(run))
}
