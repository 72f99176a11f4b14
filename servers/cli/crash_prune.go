package cli

import (
	"fmt"

	"vitrine/crash/bundle"
)

// crashPruneCommand applies the limits, which the monitors do after each bundle.
type crashPruneCommand struct {
	Bundles int    `placeholder:"N" help:"Bundles to keep; default keep_bundles of [crash]."`
	Cores   int    `placeholder:"N" help:"Cores to keep; default keep_cores of [crash]."`
	DryRun  bool   `help:"Say what would go, and leave it."`
	Config  string `placeholder:"FILE" help:"Configuration file (TOML)."`
}

// Run removes what is over the limits and says what went.
func (c *crashPruneCommand) Run(crash *crashCommand, io *streams) error {
	defer keepBrokenPipe()()
	settings, err := crash.settings(c.Config)
	if err != nil {
		return err
	}
	there, err := crash.read()
	if err != nil {
		return err
	}
	there.Close()
	store, err := bundle.Open(crash.dir(), c.limits(settings), nil)
	if err != nil {
		return err
	}
	defer store.Close()
	bundles, cores, err := store.Excess()
	if err != nil {
		return err
	}
	p := &lines{w: io.out}
	for _, id := range bundles {
		p.printf("bundle  %s\n", id)
	}
	for _, id := range cores {
		p.printf("core    %s\n", id)
	}
	if c.DryRun {
		p.printf("%d bundles and %d cores of others would go\n", len(bundles), len(cores))
		return printed(p.err)
	}
	removed, err := store.Prune()
	p.printf("%d bundles and %d cores of others went, %s\n", removed.Bundles, removed.Cores, size(removed.Bytes))
	if err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return printed(p.err)
}

// limits are those of the configuration, with what the flags say in their place.
func (c *crashPruneCommand) limits(settings *captureSettings) bundle.Limits {
	l := settings.limits()
	if c.Bundles != 0 {
		l.Bundles = c.Bundles
	}
	if c.Cores != 0 {
		l.Cores = c.Cores
	}
	return l
}
