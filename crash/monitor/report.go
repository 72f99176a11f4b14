package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vitrine/crash/blackbox"
	"vitrine/crash/bundle"
	"vitrine/crash/scrub"
	"vitrine/crash/traceback"
)

// report is one bundle in the making.
type report struct {
	setup    *Setup
	scrub    *scrub.Scrubber
	meta     bundle.Meta
	text     []byte
	dump     *traceback.Dump
	files    map[string][]byte // from functions of the server
	problems []string
	cgroup   looks    // of cgroup.json
	workers  []worker // of flight.json, nil until they are read
	step     func()   // counts progress
}

func newReport(setup *Setup, at time.Time) *report {
	r := &report{setup: setup, scrub: scrub.New(setup.Scrub), dump: &traceback.Dump{}, files: map[string][]byte{}, step: func() {}}
	r.meta = bundle.Meta{
		Schema: bundle.Schema, Time: at, Process: setup.Process, Build: setup.Build, Event: newEvent(),
		Core: bundle.Core{State: bundle.CoreNone, Executable: setup.Executable}, Dropped: map[string]uint64{},
		Capabilities: setup.Capabilities, Where: bundle.Where{Worker: -1},
	}
	return r
}

// problem notes what the bundle lacks, and why.
func (r *report) problem(what string, err error) {
	if err != nil {
		r.problems = append(r.problems, fmt.Sprintf("%s: %v", what, err))
	}
}

// take sets the text and what it tells.
func (r *report) take(text []byte) {
	r.text, r.dump = text, traceback.Parse(text)
	r.meta.Goroutines = len(r.dump.Goroutines)
	crashed := r.dump.Crashed()
	if crashed == nil {
		return
	}
	r.meta.Goroutine = crashed.ID
	r.locate(crashed)
}

// locate fills in where it happened, as far as it is not known already.
func (r *report) locate(g *traceback.Goroutine) {
	where := &r.meta.Where
	if app := g.App(); len(app) > 0 && where.Function == "" {
		where.Function, where.File, where.Line = app[0].Func, app[0].File, app[0].Line
	}
	label := func(to *string, key string) {
		if *to == "" {
			*to = g.Labels[key]
		}
	}
	label(&where.Server, LabelServer)
	label(&where.Session, LabelSession)
	label(&r.meta.Trace, LabelTrace)
	label(&r.meta.Span, LabelSpan)
	if worker, ok := g.Labels[LabelWorker]; ok {
		fmt.Sscan(worker, &where.Worker) // a label that is no number leaves 0
	}
}

// Labels of goroutines that a report reads, set by crash.Go and by the workers of servers.
const (
	LabelServer  = "server"
	LabelWorker  = "worker"
	LabelSession = "session"
	LabelTrace   = "trace_id"
	LabelSpan    = "span_id"
)

// nothingLeft is why there is no core of a process that ended without a word.
const nothingLeft = "nothing was left to picture: the process had ended"

// fingerprint returns what tells this kind of crash from others; the class is known by now.
func (r *report) fingerprint() string {
	if r.meta.Fingerprint == "" {
		var frames []traceback.Frame
		if crashed := r.dump.Crashed(); crashed != nil {
			frames = crashed.App()
		}
		kind := string(r.meta.Class)
		if len(frames) == 0 { // nothing but the program tells this kind of death from others
			kind += " " + r.meta.Process.Name
		}
		if r.meta.ReasonHow == howDeadman { // no other is killed like that
			kind += " " + howDeadman
		}
		r.meta.Fingerprint = traceback.Fingerprint(kind, frames)
	}
	return r.meta.Fingerprint
}

// fill writes all but crash.txt, the core and meta.json.
func (r *report) fill(w *bundle.Writer) {
	if len(r.dump.Goroutines) > 0 {
		r.putJSON(w, "goroutines.json", r.dump)
	}
	r.step()
	r.fillBox(w)
	r.step()
	r.fillFlight(w)
	r.step()
	r.fillCgroup(w)
	for _, source := range r.setup.Files {
		r.copy(w, source)
		r.step()
	}
	for _, files := range []map[string][]byte{r.setup.Static, r.files} {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			r.put(w, name, files[name])
		}
	}
}

func (r *report) put(w *bundle.Writer, name string, data []byte) {
	if len(data) > 0 {
		r.problem("write "+name, w.Write(name, data))
	}
}

func (r *report) putJSON(w *bundle.Writer, name string, v any) {
	data, err := json.Marshal(v)
	r.problem("encode "+name, err)
	r.put(w, name, data)
}

// copy copies the newest file that a source names.
func (r *report) copy(w *bundle.Writer, source FileSource) {
	path, err := newest(source.Pattern)
	if err != nil {
		r.problem(source.Name, err)
		return
	}
	limit := source.Max
	if limit == 0 {
		limit = MaxSource
	}
	r.problem(source.Name, w.Copy(source.Name, path, limit))
}

// newest returns the match of a pattern that was written last.
func newest(pattern string) (string, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return "", fmt.Errorf("pattern %q: %w", pattern, err)
	}
	var found string
	var latest time.Time
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && (found == "" || info.ModTime().After(latest)) {
			found, latest = path, info.ModTime()
		}
	}
	if found == "" {
		return "", fmt.Errorf("pattern %q: no file", pattern)
	}
	return found, nil
}

// fillBox writes what the black box holds: loops, last figures, last lines.
func (r *report) fillBox(w *bundle.Writer) {
	if r.setup.Box == "" {
		return
	}
	state, err := blackbox.Read(r.setup.Box)
	if err != nil {
		r.problem("read the black box", err)
		return
	}
	r.problems = append(r.problems, state.Problems...)
	if _, given := r.files["metrics.json"]; !given {
		r.put(w, "metrics.json", state.Metrics)
	}
	if len(state.Notes) > 0 {
		r.put(w, "log.tail", []byte(r.clean(strings.Join(state.Notes, "\n")+"\n")))
	}
	state.Metrics, state.Excluded = nil, nil
	r.putJSON(w, "blackbox.json", state)
}

// clean scrubs text of any length.
func (r *report) clean(text string) string { return string(r.scrub.Bytes([]byte(text))) }

// finish writes meta.json and gives the bundle its name, which it returns.
func (r *report) finish(w *bundle.Writer, began time.Time) (string, error) {
	r.meta.Reason = r.scrub.Text(r.meta.Reason, maxReason)
	r.meta.Problems = r.problems
	r.meta.Timings.CompleteMS = time.Since(began).Milliseconds()
	return w.Finish(&r.meta)
}

// maxReason is the most of a reason that meta.json holds, in bytes.
const maxReason = 1 << 10

var errHeldBack = errors.New("held back: one of its kind was reported within the minute")

// unlessHeldBack leaves out that a report was held back, which is counted and no fault.
func unlessHeldBack(err error) error {
	if errors.Is(err, errHeldBack) {
		return nil
	}
	return err
}
