package monitor

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"

	"vitrine/crash/bundle"
)

// rescueDir is where bundles go whose own directory cannot be written: one place for each such directory.
func (s *Setup) rescueDir() string {
	h := fnv.New64a()
	h.Write([]byte(s.Dir))
	return filepath.Join(filepath.Dir(s.RunDir), fmt.Sprintf("rescued%016x", h.Sum64()))
}

// bringHome moves the bundles that were rescued into the directory where they belong.
func (s *Setup) bringHome() error {
	if _, err := os.Stat(s.rescueDir()); err != nil {
		return nil // none ever was
	}
	rescued, err := bundle.Open(s.rescueDir(), s.Limits, nil)
	if err != nil {
		return err
	}
	defer rescued.Close()
	home, err := s.store()
	if err != nil {
		return err
	}
	defer home.Close()
	rescued.Recover(nil)
	entries, err := rescued.List()
	if err != nil {
		return err
	}
	var problems []error
	for _, e := range entries {
		if err := s.bring(home, e); err != nil {
			problems = append(problems, fmt.Errorf("bring home %s: %w", e.ID, err))
		}
	}
	return errors.Join(problems...)
}

// bring moves one bundle home and sends its report.
func (s *Setup) bring(home *bundle.Store, e bundle.Entry) error {
	m, err := e.Meta()
	if err != nil {
		return err
	}
	out, err := home.Begin(e.Class, m.Fingerprint, e.PID, e.Time)
	if err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := out.Copy(f.Name, filepath.Join(e.Path(), f.Name), 0); err != nil {
			return errors.Join(err, out.Discard())
		}
	}
	name, err := out.Finish(m)
	if err != nil {
		return err
	}
	s.send(m, filepath.Join(home.Dir(), name))
	return os.RemoveAll(e.Path())
}
