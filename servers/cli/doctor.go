package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"vitrine/crash/probe"
	"vitrine/crash/snapshot"
)

// doctorCommand tells what this machine lets a crash monitor do, and what to do about what it does not.
type doctorCommand struct {
	Dir   string `placeholder:"DIR" help:"Directory where crash bundles are to be; default ${runtime}/crash."`
	JSON  bool   `help:"Print JSON."`
	Trace int    `hidden:"" help:"Try to stop a process, when a line comes on standard input."`
}

// finding is one thing that was looked at.
type finding struct {
	Name      string `json:"name"`
	Value     string `json:"value"`
	OK        bool   `json:"ok"`
	Essential bool   `json:"essential"` // without it a crash leaves no bundle, or none with a core
	Help      string `json:"help,omitempty"`
}

// Run prints what was found; the status is 0 unless something essential is missing.
func (c *doctorCommand) Run(io *streams) error {
	if c.Trace != 0 {
		return traceOnCue(c.Trace)
	}
	dir := c.Dir
	if dir == "" {
		dir = crashDir
	}
	findings := diagnose(dir, traceCommand)
	ok := true
	for _, f := range findings {
		ok = ok && (f.OK || !f.Essential)
	}
	var err error
	if c.JSON {
		err = printFindingsJSON(io.out, ok, findings)
	} else {
		err = printFindings(io.out, ok, findings)
	}
	if err == nil && !ok {
		return errFault
	}
	return printed(err)
}

// diagnose looks at everything. trace makes the command that tries to stop this process.
func diagnose(dir string, trace func(context.Context) (*exec.Cmd, error)) []finding {
	f := tracing(trace)
	can := probe.Run().Tested(strings.TrimPrefix(f.Value, "no: "))
	if !f.OK && can.Aborts {
		f.Help = "without it no core is ours: a death leaves text and the kernel's own core, a report of a process that lives text alone; the row ptrace says what to do"
	}
	findings := []finding{f, directory(dir), room(dir), runDirectory(dir), debugger()}
	for _, row := range can.Rows() {
		findings = append(findings, finding{Name: row.Name, Value: row.Value, OK: row.OK, Help: row.Help})
	}
	return findings
}

// tracing tries whether a child may stop this process, as the monitors of a server do. It is a child's work: a filter of system
// calls may kill who tries.
func tracing(command func(context.Context) (*exec.Cmd, error)) finding {
	f := finding{Name: "stop a process", Value: probe.Yes, Essential: true}
	if err := tryTracing(command); err != nil {
		f.Value = "no: " + err.Error()
		f.Help = "without it bundles have text but no core, and fatal errors of the runtime no reason; the row ptrace says what to do"
	}
	f.OK = f.Value == probe.Yes
	return f
}

// traceLimit is how long the child may take.
const traceLimit = 10 * time.Second

func tryTracing(command func(context.Context) (*exec.Cmd, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), traceLimit)
	defer cancel()
	c, err := command(ctx)
	if err != nil {
		return err
	}
	var says strings.Builder
	c.Stderr = &says
	cue, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	permitTracing(c.Process.Pid)
	_, _ = io.WriteString(cue, "\n") // a child that is dead already says so below
	cue.Close()
	if err := c.Wait(); err != nil {
		return errors.New(strings.Join(strings.Fields(visible(says.String())+" "+err.Error()), " "))
	}
	return nil
}

// traceCommand is this program, told to stop its parent.
func traceCommand(ctx context.Context) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, program, "doctor", "--trace", strconv.Itoa(os.Getpid())), nil
}

// traceOnCue is the child's part.
func traceOnCue(pid int) error {
	var cue [1]byte
	if _, err := os.Stdin.Read(cue[:]); err != nil {
		return fmt.Errorf("wait for the cue: %w", err)
	}
	return snapshot.SelfTest(pid)
}

// directory tells whether bundles can be written. It makes no directory that is not there, and asks the one above.
func directory(dir string) finding {
	f := finding{Name: "bundles", Value: dir, Essential: true}
	at, err := nearest(dir)
	if err == nil {
		var file *os.File
		if file, err = os.CreateTemp(at, ".doctor-*"); err == nil {
			err = errors.Join(file.Close(), os.Remove(file.Name()))
		}
	}
	if f.OK = err == nil; !f.OK {
		f.Value += ": " + err.Error()
		f.Help = "a crash leaves nothing: make the directory writable for the user of the server, or name another by --dir"
	}
	return f
}

// nearest finds a directory, or the one above it that exists.
func nearest(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	for err == nil {
		info, statErr := os.Stat(dir)
		switch {
		case statErr == nil && info.IsDir():
			return dir, nil
		case statErr == nil:
			return "", fmt.Errorf("%s is no directory", dir)
		case !errors.Is(statErr, os.ErrNotExist) || filepath.Dir(dir) == dir:
			return "", statErr
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// coreRoom is how much room for cores is enough not to speak of it, and freePercent is what they leave of the disk.
const (
	coreRoom    = int64(2) << 30
	freePercent = 10
)

// room tells how much of the disk cores may take.
func room(dir string) finding {
	f := finding{Name: "room for cores"}
	at, err := nearest(dir)
	var free, total int64
	if err == nil {
		free, total, err = diskSpace(at)
	}
	if err != nil {
		f.Value, f.Help = "unknown: "+err.Error(), "whether a core fits shows when there is one"
		return f
	}
	left := max(0, free-total/100*freePercent)
	f.Value = fmt.Sprintf("%s of %s free", size(left), size(free))
	if f.OK = left >= coreRoom; !f.OK {
		f.Help = fmt.Sprintf("%d %% of the disk stay free, so cores may find no room: make some, or put the bundles on another disk", freePercent)
	}
	return f
}

// runDirectory tells where a server's black box would be.
func runDirectory(dir string) finding {
	where, quick := runPlace(dir)
	f := finding{Name: "black box", Value: where, OK: quick}
	if !f.OK {
		f.Help = "a slow disk can hold up the server when it notes what it does: mount a tmpfs at /dev/shm (docker run --shm-size)"
	}
	return f
}

// debugger tells where Delve is.
func debugger() finding {
	f := finding{Name: "debugger"}
	path, err := findDelve()
	if f.OK = err == nil; f.OK {
		f.Value = path
		return f
	}
	f.Value, f.Help = "no "+delve, "cores are opened by it, here or on another machine: "+delveInstall
	return f
}

// printFindings prints a table, with help below what is not as it should be.
func printFindings(w io.Writer, ok bool, findings []finding) error {
	widest := 0
	for _, f := range findings {
		widest = max(widest, len(f.Name))
	}
	p := &page{lines: lines{w: w}, extent: extent{width: everything.width}}
	for _, f := range findings {
		p.line(fmt.Sprintf("%-4s  %-*s  %s", verdictOf(f), widest, f.Name, f.Value))
		for _, line := range wrap(f.Help, oneScreen.width-6, everything.reason) {
			p.line("      " + line)
		}
	}
	p.printf("\n%s\n", map[bool]string{true: "a crash here leaves a bundle with a core", false: "something essential is missing"}[ok])
	return p.err
}

func verdictOf(f finding) string {
	switch {
	case f.OK:
		return "ok"
	case f.Essential:
		return "BAD"
	}
	return "note"
}

func printFindingsJSON(w io.Writer, ok bool, findings []finding) error {
	text, err := json.MarshalIndent(struct {
		OK       bool      `json:"ok"`
		Findings []finding `json:"findings"`
	}{ok, findings}, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(safeJSON(text), '\n'))
	return err
}
