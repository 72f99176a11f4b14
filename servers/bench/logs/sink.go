//go:build linux

package logs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"vitrine/logx"
)

// sink is an open logger.
type sink struct {
	log   func(*event) bool // any goroutine; false: dropped, and known to be
	flush func() error      // all that was logged is in the file; once, after the last log
	close func() error      // gives files and goroutines back
	stats func() logx.Stats // of ours; nil for peers
}

// medium is where a sink writes.
type medium struct {
	dir   string      // its own, empty
	stall *stall      // nil: the disk as it is
	ours  logx.Config // how our log is opened, but for Dir, Format and FS
}

// class tells what a peer does while a call lasts.
type class int

const (
	classOurs        class = iota
	classSynchronous       // the call writes
	classBuffered          // some calls write for the others
	classAsync             // another goroutine writes
	classControl           // nobody writes
)

// kind is one way to log.
type kind struct {
	name  string
	class class
	open  func(medium) (sink, error)
}

// Names the gates speak of.
const (
	oursBinary  = "ours"
	oursSlog    = "ours-slog"
	oursText    = "ours-text"
	zerologSync = "zerolog"
	zapBuffered = "zap-buffered"
	againSuffix = " again"
)

// allKinds lists every way to log there is.
func allKinds() []kind {
	return []kind{
		{oursBinary, classOurs, openBinary},
		{oursSlog, classOurs, openSlog},
		{oursText, classOurs, openText},
		{zerologSync, classSynchronous, openZerolog},
		{"zap", classSynchronous, openZap},
		{"slog-json", classSynchronous, openSlogJSON},
		{"phuslu", classSynchronous, openPhuslu},
		{zapBuffered, classBuffered, openZapBuffered},
		{"phuslu-async", classAsync, openPhusluAsync},
		{"zerolog-diode", classAsync, openDiode},
	}
}

// pickKinds returns the named kinds, in the order given; no names are all.
func pickKinds(names []string) ([]kind, error) {
	if len(names) == 0 {
		return allKinds(), nil
	}
	picked := make([]kind, 0, len(names))
	for _, name := range names {
		k, err := findKind(name)
		if err != nil {
			return nil, err
		}
		picked = append(picked, k)
	}
	return picked, nil
}

func findKind(name string) (kind, error) {
	for _, k := range allKinds() {
		if k.name == name {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("no logger %q, there are: %s", name, strings.Join(kindNames(allKinds()), ", "))
}

func kindNames(kinds []kind) []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// peerFile is the name of the file a peer writes.
const peerFile = "log.json"

// create opens a peer's file. The writer is no *os.File, so that no peer finds
// Sync and waits for the device, which nobody else does.
func (m medium) create() (*os.File, io.Writer, error) {
	f, err := os.OpenFile(filepath.Join(m.dir, peerFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return nil, nil, err
	}
	if m.stall != nil {
		return f, stalledWriter{f, m.stall}, nil
	}
	return f, struct{ io.Writer }{f}, nil
}

// done is the flush of those who leave nothing behind.
func done() error { return nil }

// dirBytes is what the regular files of a directory hold.
func dirBytes(dir string) (total int64, err error) {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
	}
	return total, err
}
