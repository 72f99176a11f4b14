package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"vitrine/crash/bundle"
	"vitrine/crash/scrub"
	"vitrine/crash/sentry"
)

// SpoolDir is where the reports that wait to be sent are, in the directory of the bundles.
const SpoolDir = "spool"

// Sender returns what sends the reports of a server.
func (s *Setup) Sender() (*sentry.Sender, error) {
	return sentry.New(sentry.Config{
		DSN: s.Sentry.DSN, Spool: filepath.Join(s.Dir, SpoolDir), Environment: s.Sentry.Environment,
		Release: s.Sentry.Release, Server: s.Sentry.Server, Budget: s.Sentry.Budget, PerHour: s.Sentry.PerHour, Scrub: scrub.New(s.Scrub),
	})
}

// store opens the directory of bundles.
func (s *Setup) store() (*bundle.Store, error) {
	store, err := bundle.Open(s.Dir, s.Limits, nil)
	if err != nil {
		return nil, fmt.Errorf("bundles: %w", err)
	}
	return store, nil
}

// send spools the report of a bundle, nil for none, and sends what waits.
func (s *Setup) send(m *bundle.Meta, path string) {
	if err := s.trySend(m, path); err != nil {
		fmt.Fprintln(os.Stderr, "crash monitor: send reports:", err)
	}
}

func (s *Setup) trySend(m *bundle.Meta, path string) error {
	sender, err := s.Sender()
	if err != nil {
		return err
	}
	if m != nil {
		if err := sender.Put(path, m); err != nil && !errors.Is(err, sentry.ErrHeldBack) {
			return fmt.Errorf("spool %s: %w", m.ID, err)
		}
	}
	if s.Sentry.DSN == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), UploadLimit)
	defer cancel()
	_, err = sender.Send(ctx)
	return err
}
