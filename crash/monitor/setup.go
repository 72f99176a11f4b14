package monitor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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

// heardName is the file of the run directory that keeps what was read of a crash pipe.
const heardName = "heard.txt"

// heard tells whether a monitor has heard of the death, though the pipe may be empty by now.
func (s *Setup) heard() bool {
	info, err := os.Stat(filepath.Join(s.RunDir, heardName))
	return err == nil && info.Size() > 0
}
