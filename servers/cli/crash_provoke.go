package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"vitrine/crash/provoke"
)

// crashTestCommand dies on purpose, in a process of its own, and looks whether that left the bundle that it should.
type crashTestCommand struct {
	Class string `arg:"" optional:"" help:"What happens; --list names all."`
	List  bool   `help:"List the classes."`
}

// Help shows the command at work.
func (c *crashTestCommand) Help() string {
	return `The bundle goes to var/crash-test unless --dir says otherwise, so that it takes no place of one that matters:

  vitrine crash test goroutine
  vitrine crash --dir var/crash-test show last`
}

// testDir is where bundles of tests are unless a flag says otherwise.
var testDir = filepath.Join(runtimeDir, "crash-test")

// Run provokes the class. It fails when anything is missing from the bundle.
func (c *crashTestCommand) Run(crash *crashCommand, io *streams) error {
	provoke.Serve() // does not return in the process that dies
	if c.List {
		return listClasses(io, crash.JSON)
	}
	if c.Class == "" {
		return usagef("which class? --list names all")
	}
	if _, err := provoke.Find(c.Class); err != nil {
		return &usageError{err}
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	dir := crash.Dir
	if dir == "" {
		dir = testDir
	}
	outcome, err := provoke.Run(ctx, provoke.Options{Class: c.Class, Dir: dir, Args: []string{"crash", "test", c.Class}})
	if err != nil {
		return err
	}
	if crash.JSON {
		err = json.NewEncoder(io.out).Encode(outcome)
	} else {
		err = describeOutcome(io, outcome)
	}
	if err == nil && len(outcome.Missing) > 0 {
		err = errFault
	}
	return err
}

// listClasses prints the classes, as JSON one object a line.
func listClasses(io *streams, asJSON bool) error {
	p := &lines{w: io.out}
	for _, class := range provoke.Classes() {
		if asJSON {
			p.json(map[string]string{"name": class.Name, "about": class.About, "lacks": class.Lacks()})
			continue
		}
		p.printf("%-12s %s", class.Name, class.About)
		if class.Lacks() != "" {
			p.printf(" (not in this program: build it with -tags crashcgo)")
		}
		p.printf("\n")
	}
	return printed(p.err)
}

// describeOutcome prints what came of it for people.
func describeOutcome(io *streams, o *provoke.Outcome) error {
	p := &lines{w: io.out}
	if m := o.Meta; m != nil {
		p.printf("bundle       %s\n", o.Bundle)
		p.printf("class        %s\n", m.Class)
		p.printf("reason       %s (%s)\n", visible(m.Reason), m.ReasonHow)
		p.printf("core         %s\n", strings.TrimSpace(string(m.Core.State)+" "+visible(m.Core.Why)))
		p.printf("text         after %d ms, all after %d ms\n", m.Timings.TextMS, m.Timings.CompleteMS)
	}
	p.printf("exit status  %d\n", o.Status)
	for _, missing := range o.Missing {
		p.printf("missing      %s\n", visible(missing))
	}
	if p.err != nil {
		return fmt.Errorf("print the outcome: %w", p.err)
	}
	return nil
}
