package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"vitrine/crash/bundle"
	"vitrine/crash/probe"
)

// cgroupName is the file of a bundle, and of a run directory, that holds looks at the control groups of the server.
const cgroupName = "cgroup.json"

// The moments of a look at the control groups.
const (
	cgroupStart = "start" // of the monitor
	cgroupNow   = "now"   // the report is made, of a server that lives
	cgroupDeath = "death" // of the server
)

// looks are looks at the control groups of a server, by the moment.
type looks map[string]probe.CgroupInfo

var (
	errNoCgroup   = errors.New("no control group of the process is known")
	errNobodyThen = errors.New("nobody was left to look when the process ended")
)

// keepCgroup leaves the first look of a run in its directory, for a monitor that comes after all of this run's are gone.
func (s *Setup) keepCgroup(start probe.CgroupInfo) {
	if s.RunDir == "" {
		return
	}
	data, err := json.Marshal(looks{cgroupStart: start})
	if err == nil {
		err = writeNew(filepath.Join(s.RunDir, cgroupName), data)
	}
	if err != nil && !os.IsExist(err) {
		fmt.Fprintln(os.Stderr, "crash monitor: keep", cgroupName+":", err)
	}
}

// writeNew writes a file that must not be there.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// cgroupOf reads what a run that is over has left.
func (r *report) cgroupOf(runDir string) {
	r.problem(cgroupName, errNobodyThen)
	data, err := bundle.ReadFile(runDir, cgroupName, maxCgroupBytes)
	if err == nil {
		err = json.Unmarshal(data, &r.cgroup)
	}
	r.problem(cgroupName, err)
}

// maxCgroupBytes is the most of a cgroup.json that is read.
const maxCgroupBytes = 64 << 10

// fillCgroup writes cgroup.json: what was looked at, and of a server that lives as it is now.
func (r *report) fillCgroup(w *bundle.Writer) {
	all := looks{}
	for when, look := range r.cgroup {
		all[when] = look
	}
	if start, ok := all[cgroupStart]; r.meta.Live && ok {
		all[cgroupNow] = start.Again()
	} else if r.meta.Live {
		all[cgroupNow] = probe.Cgroup(r.meta.Process.PID)
	}
	for when, look := range all {
		if look.Version == 0 {
			delete(all, when)
		}
	}
	if len(all) == 0 {
		r.problem(cgroupName, errNoCgroup)
		return
	}
	r.putJSON(w, cgroupName, all)
}
