package provoke

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"vitrine/crash/bundle"
	"vitrine/crash/probe"
)

func (o *Outcome) miss(format string, args ...any) {
	o.Missing = append(o.Missing, fmt.Sprintf(format, args...))
}

// check notes what the bundle lacks.
func (c *Class) check(o *Outcome) {
	m := o.Meta
	if m.Class != c.Is {
		o.miss("class is %s, not %s", m.Class, c.Is)
	}
	if !strings.Contains(m.Reason, c.Reason) {
		o.miss("reason %.120q (%s) does not say %q", m.Reason, m.ReasonHow, c.Reason)
	}
	if m.Goroutines == 0 && c.NoCore == "" {
		o.miss("no goroutines")
	}
	c.checkExit(o)
	c.checkCore(o)
	checkFiles(o)
}

// checkExit compares the exit status that the bundle has with the one that was seen.
func (c *Class) checkExit(o *Outcome) {
	exit := o.Meta.Exit
	switch {
	case c.Lives && exit != nil:
		o.miss("exit status of a process that lives")
	case c.Lives:
	case exit == nil || !exit.Known:
		o.miss("exit status")
	case statusOf(exit) != o.Status:
		o.miss("exit status %d (%s): it was %d", exit.Code, exit.Signal, o.Status)
	}
}

func statusOf(e *bundle.Exit) int {
	for n := syscall.Signal(1); n < 65; n++ {
		if e.Signal != "" && signalName(n) == e.Signal {
			return 128 + int(n)
		}
	}
	return e.Code
}

// checkCore notes a core that is missing where one can be had.
func (c *Class) checkCore(o *Outcome) {
	core := &o.Meta.Core
	switch {
	case c.NoCore != "" && core.State != bundle.CoreNone:
		o.miss("a core of what cannot have one: %s", core.State)
	case c.NoCore != "":
	case o.Ptrace != probe.Yes:
		c.checkKernelCore(o)
	case core.State != bundle.CoreWritten:
		o.miss("core is %s: %s", core.State, core.Why)
	}
}

// checkKernelCore notes that the kernel wrote no core though none of ours could be had, where it is to.
func (c *Class) checkKernelCore(o *Outcome) {
	can := probe.Run().Tested(o.Ptrace)
	plain := (can.CoreKind == probe.CoreFile || can.CoreKind == probe.CoreAbsolute) && !strings.Contains(can.CorePattern, "%")
	dumped := o.Meta.Exit != nil && o.Meta.Exit.CoreDumped
	if !c.Lives && can.Aborts && plain && !dumped { // of other places nobody tells
		o.miss("core: %s", o.Meta.Core.Why)
	}
}

// checkFiles notes files that are missing or that others may read.
func checkFiles(o *Outcome) {
	for _, f := range o.Meta.Files {
		info, err := os.Lstat(filepath.Join(o.Bundle, f.Name))
		switch {
		case err != nil:
			o.miss("%v", err)
		case !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || info.Size() != f.Bytes:
			o.miss("%s has %d bytes and mode %v, not %d and -rw-------", f.Name, info.Size(), info.Mode(), f.Bytes)
		}
	}
	if info, err := os.Lstat(o.Bundle); err != nil || info.Mode() != fs.ModeDir|0o700 {
		o.miss("mode of the directory: %v", info.Mode())
	}
}
