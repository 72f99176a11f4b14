package sentry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrBusy means that another process held the spool for longer than the named wait.
var ErrBusy = errors.New("the spool is held by another process")

// lock takes one of the spool's locks, waiting until ctx ends or the limit is over. The caller calls unlock once.
func (s *Sender) lock(ctx context.Context, name string, limit time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(s.path(name), os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, fmt.Errorf("lock spool: %w", err)
	}
	if err := waitLock(ctx, f, limit); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock spool %q: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}

// waitLock polls: a blocked flock(2) could not be called off.
func waitLock(ctx context.Context, f *os.File, limit time.Duration) error {
	end := time.NewTimer(limit)
	defer end.Stop()
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		if ok, err := tryLock(f); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return ErrBusy
		case <-tick.C:
		}
	}
}
