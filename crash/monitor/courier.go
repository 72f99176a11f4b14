package monitor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vitrine/crash/sentry"
)

// courier sends, as long as a server lives, what waits in the spool: whatever could not be sent when it was made, whoever made it. Of the
// monitors of a server the first has one. Its own goroutine runs it.
type courier struct {
	setup    *Setup         // fixed
	sender   *sentry.Sender // nil until a spool could be made
	failures int            // in a row
}

// run sends whatever waits whenever the spool's back-off is over, until quiet is closed, or UploadLimit later if an event is on its
// way then. While nothing waits it reads the names of the spool every RetryEvery, and nothing else.
func (c *courier) run(quiet <-chan struct{}) {
	if c.setup.Sentry.DSN == "" {
		return
	}
	pause := RetryEvery
	for {
		select {
		case <-quiet:
			return
		case <-time.After(pause):
			pause = c.look(quiet)
		}
	}
}

// look sends what waits, if it is time to, and returns when to look again.
func (c *courier) look(quiet <-chan struct{}) (pause time.Duration) {
	wait, err := c.wait()
	if err == nil && wait > 0 {
		return min(wait, RetryEvery) // somebody may end the back-off
	}
	if err == nil {
		err = c.send(quiet)
	}
	if err == nil {
		c.failures = 0
		return RetryEvery
	}
	if c.failures++; c.failures == 1 {
		fmt.Fprintln(os.Stderr, "crash monitor: send what waits:", err)
	}
	// The spool has a back-off of its own; this one is for a disk that does not take it.
	return min(RetryEvery<<min(c.failures, maxDoublings), sentry.MaxBackOff)
}

const maxDoublings = 16

// wait tells how long there is nothing to do; RetryEvery when nothing waits.
func (c *courier) wait() (time.Duration, error) {
	if c.sender == nil {
		sender, err := c.setup.Sender()
		if err != nil {
			return 0, err
		}
		c.sender = sender
	}
	at, waits, err := c.sender.Due()
	if !waits {
		return RetryEvery, err
	}
	return time.Until(at), err
}

func (c *courier) send(quiet <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), UploadLimit)
	defer cancel()
	_, err := c.sender.SendWhile(ctx, func() bool {
		select {
		case <-quiet:
			return false
		default:
			return true
		}
	})
	return err
}

// flushedName is the file of a run directory which says that this run has had the spool's back-off ended.
const flushedName = "flushed"

// flush has the first attempt of a run ignore the back-off that runs before it left, once in a run: a monitor that is started
// again goes on with what there is. A crash loop may do so as often as it takes to be one.
func (s *Setup) flush() error {
	if s.Sentry.DSN == "" || s.RunDir == "" {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(s.RunDir, flushedName), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if os.IsExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("flush reports: %w", err)
	}
	f.Close()
	sender, err := s.Sender()
	if err != nil {
		return err
	}
	return sender.Flush(s.Limits.Loop())
}

// farewell tries once more to send what waits, back-off or not, before the monitor of a server goes that ends in good order: the
// server waits for that, FarewellLimit, and as long again at most where another process holds the spool.
func (s *Setup) farewell() {
	if s.Sentry.DSN == "" {
		return
	}
	said := make(chan error, 1)
	go func() { said <- s.sayFarewell(time.Now()) }() // ends within the limits of the spool's locks, or with the process
	select {
	case err := <-said:
		if err != nil {
			fmt.Fprintln(os.Stderr, "crash monitor: send what waits:", err)
		}
	case <-time.After(2 * FarewellLimit):
		fmt.Fprintln(os.Stderr, "crash monitor: send what waits: the spool is held by another for too long")
	}
}

func (s *Setup) sayFarewell(began time.Time) error {
	sender, err := s.Sender()
	if err != nil {
		return err
	}
	if _, waits, err := sender.Due(); !waits {
		return err
	}
	if err := sender.Flush(s.Limits.Loop()); err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(context.Background(), began.Add(FarewellLimit))
	defer cancel()
	_, err = sender.SendWhile(ctx, func() bool { return time.Since(began) < FarewellLimit/2 })
	return err
}
