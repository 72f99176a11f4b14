package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
)

// crashCommand reads what crashes left behind, whether the process that it is about lives or not.
type crashCommand struct {
	Dir   string            `placeholder:"DIR" help:"Directory of the crash bundles; default ${runtime}/crash."`
	JSON  bool              `help:"Print JSON; open does with --print alone."`
	List  crashListCommand  `cmd:"" default:"withargs" help:"List the bundles, newest first; the default."`
	Show  crashShowCommand  `cmd:"" help:"Tell what a bundle says, on one screen."`
	Diff  crashDiffCommand  `cmd:"" help:"Tell in what two bundles differ."`
	Open  crashOpenCommand  `cmd:"" help:"Open a core in the debugger."`
	Dump  crashDumpCommand  `cmd:"" help:"Make a report of a process that runs on."`
	Send  crashSendCommand  `cmd:"" help:"Send the reports that wait."`
	Prune crashPruneCommand `cmd:"" help:"Remove what is over the limits."`
	Test  crashTestCommand  `cmd:"" help:"Die on purpose, in a process of its own, and look at what that leaves."`
}

// Help shows the commands at work.
func (c *crashCommand) Help() string {
	return `A bundle is one directory per crash. Its id may be cut short as long as no other begins like it, and "last" is the newest:

  vitrine crash                                    what crashed, newest first
  vitrine crash show last                          the newest, on one screen
  vitrine crash list --class hang --since 24h      the stuck loops of the last day
  vitrine crash diff last 20261122T1744            what was different the time before
  vitrine crash open last                          its core in the debugger`
}

// crashDir is where bundles are unless a flag says otherwise.
var crashDir = filepath.Join(runtimeDir, "crash")

// dir is the directory of the bundles.
func (c *crashCommand) dir() string {
	if c.Dir != "" {
		return c.Dir
	}
	return crashDir
}

// settings reads the configuration's part about crashes. Its directory counts where no flag names one.
func (c *crashCommand) settings(file string) (*captureSettings, error) {
	flags := configFlags{Config: file}
	s, _, err := flags.load("", nil)
	if err != nil {
		return nil, err
	}
	if c.Dir == "" {
		c.Dir = s.Crash.Dir
	}
	return &s.Crash, nil
}

// errNoBundles is the answer where no directory of bundles is.
var errNoBundles = errors.New("there is none: nothing crashed here, or --dir names the place")

// read opens the bundles to read them, and makes no directory where none is.
func (c *crashCommand) read() (*bundle.Store, error) {
	store, err := bundle.Look(c.dir())
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("crash bundles in %q: %w", c.dir(), errNoBundles)
	}
	return store, err
}

// find opens the bundles and finds one of them.
func (c *crashCommand) find(id string) (bundle.Entry, *bundle.Meta, error) {
	store, err := c.read()
	if err != nil {
		return bundle.Entry{}, nil, err
	}
	defer store.Close()
	entry, err := store.Find(id)
	if err != nil {
		return bundle.Entry{}, nil, err
	}
	m, err := entry.Meta()
	if err != nil {
		return entry, nil, err
	}
	return entry, m, nil
}

// spoolOf is where the reports of a directory of bundles wait to be sent.
func spoolOf(dir string) string { return filepath.Join(dir, monitor.SpoolDir) }
