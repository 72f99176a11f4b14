package cli

import (
	"fmt"

	"vitrine/crash/bundle"
)

// crashPruneCommand applies the limits, which the monitors do after each bundle.
type crashPruneCommand struct {
	Bundles int  `placeholder:"N" help:"Bundles to keep; default 100."`
	Cores   int  `placeholder:"N" help:"Cores to keep; default 3."`
	DryRun  bool `help:"Say what would go, and leave it."`
}

// Run removes what is over the limits and says what went.
func (c *crashPruneCommand) Run(crash *crashCommand, io *streams) error {
	defer keepBrokenPipe()()
	there, err := crash.read()
	if err != nil {
		return err
	}
	there.Close()
	store, err := bundle.Open(crash.dir(), bundle.Limits{Bundles: c.Bundles, Cores: c.Cores}, nil)
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
