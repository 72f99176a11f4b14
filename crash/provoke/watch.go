package provoke

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"vitrine/crash/bundle"
)

// Provoke lets it happen, once more for a class that lives. It does not wait for what comes of it.
func (v *Victim) Provoke() error {
	v.dying = !v.class.Lives
	if v.class.from != 0 {
		if err := v.command.Process.Signal(v.class.from); err != nil {
			return fmt.Errorf("send %v: %w", v.class.from, err)
		}
		return nil
	}
	return v.say("provoke")
}

func (v *Victim) say(line string) error {
	if _, err := io.WriteString(v.in, line+"\n"); err != nil {
		return fmt.Errorf("tell the victim: %w", err)
	}
	return nil
}

// Gap returns the longest time for which the victim did not run since it was asked last; the first call begins it.
func (v *Victim) Gap() (time.Duration, error) {
	return v.ask("gap")
}

// Fork has the victim fork itself, to no other end than to learn how long the kernel takes for a process like it. It needs C, see
// Class.Lacks.
func (v *Victim) Fork() (time.Duration, error) { return v.ask("fork") }

// ask asks for a time.
func (v *Victim) ask(what string) (time.Duration, error) {
	if err := v.say(what); err != nil {
		return 0, err
	}
	line, err := v.line()
	if err != nil {
		return 0, fmt.Errorf("ask the victim for its %s: %w", what, err)
	}
	var ns int64
	if _, err := fmt.Sscanf(line, what+" %d", &ns); err != nil || ns < 0 {
		return 0, fmt.Errorf("ask the victim for its %s: it said %.80q", what, line)
	}
	return time.Duration(ns), nil
}

// pollEvery is how often the directory of bundles is looked at.
const pollEvery = 2 * time.Millisecond

// ErrNoBundle is the answer of Next when no bundle came.
var ErrNoBundle = errors.New("no bundle")

// Next waits for the next bundle of the victim. It is ErrNoBundle when its monitors ended without one, or Options.Wait has passed.
func (v *Victim) Next() (bundle.Entry, error) {
	late := time.After(v.options.Wait)
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		over := v.over()
		e, err := v.unseen()
		if err != nil || e.ID != "" {
			return e, err
		}
		if over {
			return e, fmt.Errorf("%w: the monitors ended without one", ErrNoBundle)
		}
		select {
		case <-poll.C:
		case <-late:
			return e, fmt.Errorf("%w within %v", ErrNoBundle, v.options.Wait)
		}
	}
}

// unseen returns a bundle of the victim that was not returned before, one without ID when there is none.
func (v *Victim) unseen() (bundle.Entry, error) {
	entries, err := v.store.List()
	if err != nil {
		return bundle.Entry{}, err
	}
	for _, e := range entries {
		if e.PID == v.PID() && !v.seen[e.ID] {
			v.seen[e.ID] = true
			return e, nil
		}
	}
	return bundle.Entry{}, nil
}

// over tells whether the victim and its monitors are gone: the last of them removes the run directory.
func (v *Victim) over() bool {
	select {
	case <-v.ended:
	default:
		return false
	}
	left, err := filepath.Glob(filepath.Join(v.run, "*"))
	return err == nil && len(left) == 0
}

// End waits until a victim that dies and its monitors are gone; one that lives it lets end in good order. It returns the exit
// status.
func (v *Victim) End() (int, error) {
	if !v.dying {
		_ = v.in.Close() // a process that is gone has closed it
	}
	late := time.After(v.options.Wait)
	select {
	case <-v.ended:
	case <-late:
		return 0, fmt.Errorf("the victim did not end within %v", v.options.Wait)
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for !v.over() {
		select {
		case <-poll.C:
		case <-late:
			return status(v.command.ProcessState), fmt.Errorf("the monitors did not end within %v", v.options.Wait)
		}
	}
	return status(v.command.ProcessState), nil
}

// Close kills the victim if it lives, and removes all but its bundles.
func (v *Victim) Close() error {
	if v.command != nil {
		_ = v.command.Process.Kill() // one that is dead needs none
		<-v.ended
	}
	var err error
	if v.store != nil {
		err = v.store.Close()
	}
	if v.run != "" {
		err = errors.Join(err, os.RemoveAll(v.run))
	}
	return err
}
