package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
	"vitrine/crash/sentry"
	"vitrine/crash/traceback"
)

// crashShowCommand tells what a bundle says: what somebody reads who was woken by it.
type crashShowCommand struct {
	ID  string `arg:"" optional:"" default:"last" help:"Id, the beginning of one, or last; default last."`
	All bool   `help:"Print everything, however long."`
}

// Run prints one bundle.
func (c *crashShowCommand) Run(crash *crashCommand, io *streams) error {
	defer keepBrokenPipe()()
	store, err := crash.read()
	if err != nil {
		return err
	}
	defer store.Close()
	entry, err := store.Find(c.ID)
	if err != nil {
		return err
	}
	m, err := entry.Meta()
	if err != nil {
		return err
	}
	if crash.JSON {
		return printMeta(io, m)
	}
	a := gather(store, entry, m)
	limits := oneScreen
	if c.All {
		limits = everything
	}
	return printed(a.print(io.out, limits, time.Now()))
}

// printMeta prints meta.json, indented.
func printMeta(io *streams, m *bundle.Meta) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.out.Write(append(safeJSON(text), '\n'))
	return printed(err)
}

// account is what a bundle says, read and not yet shown. Nothing in it was made harmless yet.
type account struct {
	entry    bundle.Entry
	meta     *bundle.Meta
	since    bundle.Before // what the store counted of the kind until now, this one included
	dump     *traceback.Dump
	moves    []move // the last records, oldest first
	whose    string // of whom the records are
	log      []string
	fate     sentry.Fate
	problems []string // what could not be read
}

// What is read of a file of a bundle, in bytes; more is an error that is told.
const (
	maxCrashText  = 2 * monitor.MaxText
	maxLogTail    = 16 << 20
	maxFlightJSON = 64 << 20
)

// gather reads the files of a bundle. One that is missing or damaged leaves a problem.
func gather(store *bundle.Store, e bundle.Entry, m *bundle.Meta) *account {
	a := &account{entry: e, meta: m, dump: &traceback.Dump{}}
	if text := a.read("crash.txt", maxCrashText); text != nil {
		a.dump = traceback.Parse(text)
	}
	if text := a.read("flight.json", maxFlightJSON); text != nil {
		a.takeFlight(text)
	}
	if text := a.read("log.tail", maxLogTail); text != nil {
		a.log = strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	}
	var err error
	if a.since, err = store.Seen(m.Class, m.Fingerprint); err != nil {
		a.problem("counts", err)
	}
	if a.fate, err = sentry.FateOf(spoolOf(store.Dir()), m); err != nil {
		a.problem("spool", err)
	}
	return a
}

// read reads a file of the bundle, nil when it is not there.
func (a *account) read(name string, most int64) []byte {
	text, err := a.entry.Read(name, most)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			a.problem(name, err)
		}
		return nil
	}
	return text
}

func (a *account) problem(what string, err error) {
	a.problems = append(a.problems, fmt.Sprintf("%s: %v", what, err))
}
