package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The files of a run directory, beside *.flight.
const (
	BoxName   = "box"
	setupName = "setup.json"
)

// Save writes the setup into its run directory, for monitors that come after all of this run's are gone. Who reads it meanwhile finds
// the one before.
func (s *Setup) Save() error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode setup: %w", err)
	}
	f, err := os.CreateTemp(s.RunDir, setupName+".*") // 0600
	if err != nil {
		return fmt.Errorf("save setup: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.RunDir, setupName))
	}
	if err != nil {
		return fmt.Errorf("save setup: %w", errors.Join(err, os.Remove(f.Name())))
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

// heardName is the file of the run directory that keeps what was read of a crash pipe.
const heardName = "heard.txt"

// heard tells whether a monitor has heard of the death, though the pipe may be empty by now.
func (s *Setup) heard() bool {
	info, err := os.Stat(filepath.Join(s.RunDir, heardName))
	return err == nil && info.Size() > 0
}
