package monitor

import (
	"errors"
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
	step  func()                                   // counts progress
	core  func(out *bundle.Writer, maxBytes int64) // writes core.zst; nil = there is none, or it is written
	path  string                                   // of the bundle, once it has its name
}

// begin opens the bundle. The class may not be known yet.
func begin(setup *Setup, r *report, began time.Time, step func()) *job {
	j := &job{setup: setup, report: r, began: began, step: step}
	if j.store, j.fails = setup.store(); j.fails != nil {
		return j
	}
	class := r.meta.Class
	if class == "" {
		class = bundle.ClassFatal
	}
	j.out, j.fails = j.store.Begin(class, r.meta.Fingerprint, setup.Process.PID, began)
	step()
	return j
}

// hear takes the text of a death and puts it on the disk before anything else is done.
func (j *job) hear(text []byte, dropped int64) {
	if dropped > 0 {
		j.meta.Dropped["text_bytes"] = uint64(dropped)
	}
	j.text = text
	if j.out != nil {
		j.put(j.out, "crash.txt", text)
	}
	j.meta.Timings.TextMS = time.Since(j.began).Milliseconds()
	j.step()
	j.take(text)
}

// finish writes the rest of the bundle, as far as the limits admit it, gives it its name and sends it.
func (j *job) finish() error {
	if j.out == nil {
		return j.fails
	}
	defer j.store.Close()
	admission, err := j.store.Admit(j.meta.Class, j.fingerprint())
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
	if j.path, err = j.report.finish(j.out, j.began); err != nil {
		return err
	}
	j.step()
	j.setup.send(&j.meta, j.path)
	_, err = j.store.Prune()
	return err
}

func (j *job) discard() error {
	if j.out == nil {
		return j.fails
	}
	defer j.store.Close()
	return j.out.Discard()
}
