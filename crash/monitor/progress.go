package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"vitrine/crash/bundle"
)

// progress is what a monitor at work on a death leaves in the run directory, for the one that may have to go on: the limits are
// asked once for a death, and one bundle is made of it.
type progress struct {
	Admission *bundle.Admission // nil = the limits were not asked yet
	Path      string            // of the bundle; "" = it is not finished
}

// progressName is the file of the run directory that holds a progress as JSON.
const progressName = "progress.json"

// progress returns what a monitor before has left, nothing where none was at work.
func (s *Setup) progress() (p progress) {
	data, err := os.ReadFile(filepath.Join(s.RunDir, progressName))
	if s.RunDir == "" || err != nil || json.Unmarshal(data, &p) != nil {
		return progress{}
	}
	return p
}

// keepProgress leaves it. It is whole or not there.
func (s *Setup) keepProgress(p progress) error {
	if s.RunDir == "" {
		return nil
	}
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode progress: %w", err)
	}
	path := filepath.Join(s.RunDir, progressName)
	if err := os.WriteFile(path+".part", data, 0o600); err != nil {
		return fmt.Errorf("keep progress: %w", err)
	}
	return os.Rename(path+".part", path)
}

// admit asks the limits, unless a monitor before has asked them about this death.
func (j *job) admit() (bundle.Admission, error) {
	fingerprint := j.fingerprint()
	if before := j.setup.progress().Admission; before != nil && !j.meta.Live {
		return *before, nil
	}
	a, err := j.store.Admit(j.meta.Class, fingerprint)
	if !j.meta.Live {
		err = errors.Join(err, j.setup.keepProgress(progress{Admission: &a}))
	}
	return a, err
}

// named notes that the bundle of a death has its name, and removes what a monitor that died over it had begun.
func (j *job) named(a bundle.Admission) {
	if j.meta.Live {
		return
	}
	if err := j.setup.keepProgress(progress{Admission: &a, Path: j.path}); err != nil {
		fmt.Fprintln(os.Stderr, "crash monitor:", err)
	}
	j.store.Supersede(j.setup.Process.PID, j.setup.Process.Started)
}

// follow does what is left to do when a monitor died after its bundle had its name: the report is sent, once by its event id.
func (s *Setup) follow(path string) error {
	if filepath.Dir(path) != s.Dir {
		return nil // a rescued one, which is sent when it comes home
	}
	m, err := bundle.ReadMeta(path)
	if err != nil {
		return fmt.Errorf("go on with %q: %w", path, err)
	}
	s.send(m, path)
	return nil
}
