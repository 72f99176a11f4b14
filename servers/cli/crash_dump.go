package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
)

// crashDumpCommand makes a report of a process that runs on.
type crashDumpCommand struct {
	PID int `arg:"" name:"pid" help:"A process of this user: a server of Vitrine, or any other program of Go."`
}

// Run takes the snapshot and says what came of it, and how long the process stood still for it.
func (c *crashDumpCommand) Run(crash *crashCommand, io *streams) error {
	dir, err := filepath.Abs(crash.dir())
	if err != nil {
		return err
	}
	setup, known, err := monitor.Discover(c.PID, dir)
	if err != nil {
		return explainDump(err)
	}
	if crash.Dir != "" {
		setup.Dir = dir
	}
	if !known {
		fmt.Fprintf(io.err, "%s (process %d) has no crash capture: the bundle has its core and no records\n", visible(setup.Process.Name), c.PID)
	}
	dumped, err := monitor.Dump(setup)
	if err != nil {
		return explainDump(err)
	}
	if crash.JSON {
		return printDumpedJSON(io, dumped)
	}
	return printed(printDumped(io, dumped))
}

// explainDump says what helps against the commonest.
func explainDump(err error) error {
	if errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("%w; vitrine doctor tells whether processes may be traced here", err)
	}
	return err
}

func printDumped(io *streams, d *monitor.Dumped) error {
	p := &page{lines: lines{w: io.out}, extent: extent{width: everything.width}}
	p.line(d.Path)
	if d.Stopped > 0 {
		p.field("stopped", fmt.Sprintf("the process stood still for %v", brief(d.Stopped)))
	}
	if d.Core.State == bundle.CoreNone {
		p.field("core", "none: "+d.Core.Why)
	} else {
		p.field("core", size(d.Core.Bytes), "expanded "+size(d.Core.Apparent), when(d.Core.State == bundle.CoreCut, "cut"))
		p.field("next", "vitrine crash open "+d.ID)
	}
	for _, problem := range d.Problems {
		p.field("missing", problem)
	}
	return p.err
}

func printDumpedJSON(io *streams, d *monitor.Dumped) error {
	text, err := json.Marshal(struct {
		ID       string      `json:"id"`
		Path     string      `json:"path"`
		Stopped  int64       `json:"stopped_us"`
		Core     bundle.Core `json:"core"`
		Problems []string    `json:"problems"`
	}{d.ID, d.Path, int64(d.Stopped / time.Microsecond), d.Core, append([]string{}, d.Problems...)})
	if err != nil {
		return err
	}
	_, err = io.out.Write(append(safeJSON(text), '\n'))
	return printed(err)
}
