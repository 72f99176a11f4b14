package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"vitrine/crash/monitor"
	"vitrine/crash/sentry"
)

// crashSendCommand sends the reports that wait, which the monitors try by themselves.
type crashSendCommand struct {
	DSN    string `name:"dsn" placeholder:"URL" help:"Where to: https://KEY@HOST/PROJECT; default sentry_dsn of [crash]."`
	Config string `placeholder:"FILE" help:"Configuration file (TOML)."`
}

// Run sends until nothing waits or an attempt fails; a pause after earlier failures is not waited for, unless the server ordered it.
func (c *crashSendCommand) Run(crash *crashCommand, io *streams) error {
	settings, err := crash.settings(c.Config)
	if err != nil {
		return err
	}
	store, err := crash.read() // a spool is made where bundles are, and nowhere else
	if err != nil {
		return err
	}
	defer store.Close()
	if c.DSN == "" {
		c.DSN = settings.SentryDSN
	}
	sender, err := c.sender(crash.dir())
	switch {
	case err != nil:
		return usagef("--dsn: %w", err)
	case c.DSN == "":
		return homeless(sender)
	}
	if err := sender.Resume(); err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	result, err := sender.Send(ctx)
	switch printing := printSent(io.out, &result, crash.JSON); {
	case err != nil:
		return err
	case printing != nil:
		return printed(printing)
	case result.Next.After(time.Now()):
		return fmt.Errorf("the server wants no report before %s", moment(result.Next))
	}
	return nil
}

// printSent prints what became of the reports.
func printSent(w io.Writer, r *sentry.Result, asJSON bool) error {
	p := &lines{w: w}
	if asJSON {
		p.json(map[string]int{"sent": r.Sent, "waiting": r.Kept, "refused": r.Dropped, "set_aside": r.Aside})
	} else {
		p.printf("%d sent, %d wait, %d refused for good, %d set aside\n", r.Sent, r.Kept, r.Dropped, r.Aside)
	}
	return p.err
}

func (c *crashSendCommand) sender(dir string) (*sentry.Sender, error) {
	return (&monitor.Setup{Dir: dir, Sentry: monitor.Sentry{DSN: c.DSN}}).Sender()
}

// homeless says that nobody told where reports go, and how many wait.
func homeless(sender *sentry.Sender) error {
	stats, err := sender.Stats()
	if err != nil {
		return err
	}
	return usagef("no DSN: %d reports wait (%s); say where they go by --dsn https://KEY@HOST/PROJECT, VITRINE_CRASH_SENTRY_DSN or sentry_dsn of [crash]",
		stats.Spooled, size(stats.Bytes))
}
