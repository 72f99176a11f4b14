package monitor

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"vitrine/crash/bundle"
)

// job is the work on one bundle, from the first byte to its name.
type job struct {
	setup *Setup
	*report
	began time.Time
	store *bundle.Store                            // nil when bundles cannot be written
	out   *bundle.Writer                           // the same
	fails error                                    // why not
	core  func(out *bundle.Writer, maxBytes int64) // writes core.zst; nil = there is none, or it is written
	path  string                                   // of the bundle, once it has its name
}

// begin opens the bundle. The class may not be known yet.
func begin(setup *Setup, r *report, began time.Time, step func()) *job {
	r.step = step
	j := &job{setup: setup, report: r, began: began}
	if err := j.open(setup.Dir); err != nil {
		j.rescue(err)
	}
	step()
	return j
}

// open begins the bundle in a directory.
func (j *job) open(dir string) error {
	store, err := bundle.Open(dir, j.setup.Limits, nil)
	if err != nil {
		return err
	}
	class := j.meta.Class
	if class == "" {
		class = bundle.ClassFatal
	}
	out, err := store.Begin(class, j.meta.Fingerprint, j.setup.Process.PID, j.began)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	j.store, j.out = store, out
	return nil
}

// rescue begins the bundle anew beside the run directory, as a rule in memory, because its own directory cannot be written.
// The next monitor brings it home. It has no core, which would fill the memory.
func (j *job) rescue(why error) {
	j.problem("write to "+j.setup.Dir, why)
	if j.setup.RunDir == "" {
		j.fails = why
		return
	}
	if j.out != nil {
		j.problem("discard", errors.Join(j.out.Discard(), j.store.Close()))
		j.store, j.out = nil, nil
	}
	j.core, j.meta.Core.Why = nil, "the directory of the bundles could not be written"
	if err := j.open(j.setup.rescueDir()); err != nil {
		j.fails = errors.Join(why, err)
	}
}

func (j *job) rescued() bool { return j.store != nil && j.store.Dir() == j.setup.rescueDir() }

// hear takes the text of a death and puts it on the disk before anything else is done.
func (j *job) hear(text []byte, dropped int64) {
	if dropped > 0 {
		j.meta.Dropped["text_bytes"] = uint64(dropped)
	}
	j.text = text
	if err := j.writeText(); err != nil && !j.rescued() {
		j.rescue(err)
		j.problem("write crash.txt", j.writeText())
	}
	j.meta.Timings.TextMS = time.Since(j.began).Milliseconds()
	j.step()
	j.take(text)
	if j.out != nil {
		j.problem("keep what is known so far", j.out.Draft(&j.meta))
	}
}

// writeText writes crash.txt, if there is a bundle and a text.
func (j *job) writeText() error {
	if j.out == nil || len(j.text) == 0 {
		return nil
	}
	return j.out.Write(textName, j.text)
}

const textName = "crash.txt"

// finish writes the rest of the bundle, as far as the limits admit it, gives it its name and sends it.
func (j *job) finish() error {
	if j.out == nil {
		return j.fails
	}
	defer j.store.Close()
	admission, err := j.admit()
	j.problem("limits", err)
	j.meta.Before = admission.Before
	if !admission.Bundle {
		return errors.Join(errHeldBack, j.out.Discard())
	}
	j.problem("name", j.out.Rename(j.meta.Class, j.meta.Fingerprint))
	j.fill(j.out)
	j.step()
	if j.core != nil && !admission.Core {
		j.meta.Core.Why = admission.Why
	} else if j.core != nil {
		j.core(j.out, admission.CoreBytes)
	}
	name, err := j.report.finish(j.out, j.began)
	if err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	j.path = filepath.Join(j.store.Dir(), name)
	j.named(admission)
	j.step()
	if !j.rescued() {
		j.setup.send(&j.meta, j.path)
	}
	_, err = j.store.Prune()
	return err
}

func (j *job) discard() error {
	if j.out == nil {
		return j.fails
	}
	return errors.Join(j.out.Discard(), j.store.Close())
}
