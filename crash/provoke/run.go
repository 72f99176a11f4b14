package provoke

import (
	"context"
	"errors"

	"vitrine/crash/bundle"
)

// Outcome is what came of one victim.
type Outcome struct {
	Class   string       `json:"class"`
	Status  int          `json:"status"`           // exit status; 128 and the signal for one that a signal ended
	Ptrace  string       `json:"ptrace,omitempty"` // "yes" when monitors may take cores, else why not
	Bundle  string       `json:"bundle,omitempty"` // its directory
	Meta    *bundle.Meta `json:"meta,omitempty"`
	Missing []string     `json:"missing"` // what the bundle lacks of what the class promises, and what is wrong
}

// Run provokes a class in a process of its own, and waits for the bundle, the end of the process and of its monitors. What is
// missing is in the outcome; the error is of a run that could not be made.
func Run(ctx context.Context, o Options) (outcome *Outcome, err error) {
	v, err := Start(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if err := v.Provoke(); err != nil {
		return nil, err
	}
	outcome = &Outcome{Class: o.Class, Ptrace: v.ptrace, Missing: []string{}}
	if !o.Bare {
		err = v.collect(outcome)
	}
	if err != nil && !errors.Is(err, ErrNoBundle) {
		return nil, err
	}
	if err != nil {
		outcome.miss("%v", err)
	}
	outcome.Status, err = v.End()
	if err != nil {
		outcome.miss("%v", err)
	}
	if outcome.Meta != nil {
		v.class.check(outcome)
	}
	return outcome, nil
}

// collect waits for the bundle of a victim and reads what it says.
func (v *Victim) collect(outcome *Outcome) error {
	e, err := v.Next()
	if err != nil {
		return err
	}
	outcome.Bundle = e.Path()
	outcome.Meta, err = e.Meta()
	return err
}
