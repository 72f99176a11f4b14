package cli

import (
	"errors"
	"fmt"
	"io"

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
	p := pruned{Bundles: append([]string{}, bundles...), Cores: append([]string{}, cores...), DryRun: c.DryRun}
	if !c.DryRun {
		var removed bundle.Removed
		removed, err = store.Prune()
		p.WentBundles, p.WentCores, p.WentBytes = removed.Bundles, removed.Cores, removed.Bytes
	}
	if err != nil {
		err = fmt.Errorf("prune: %w", err)
	}
	return errors.Join(err, printed(p.print(io.out, crash.JSON)))
}

// pruned is what was over the limits, and what became of it. Its fields are those of --json.
type pruned struct {
	Bundles     []string `json:"bundles"` // ids
	Cores       []string `json:"cores"`   // ids of bundles that stay
	DryRun      bool     `json:"dry_run"`
	WentBundles int      `json:"removed_bundles"`
	WentCores   int      `json:"removed_cores"`
	WentBytes   int64    `json:"removed_bytes"`
}

// print prints it as one line of JSON, or for people.
func (p *pruned) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, p)
	}
	out := &lines{w: w}
	for _, id := range p.Bundles {
		out.printf("bundle  %s\n", id)
	}
	for _, id := range p.Cores {
		out.printf("core    %s\n", id)
	}
	if p.DryRun {
		out.printf("%d bundles and %d cores of others would go\n", len(p.Bundles), len(p.Cores))
	} else {
		out.printf("%d bundles and %d cores of others went, %s\n", p.WentBundles, p.WentCores, size(p.WentBytes))
	}
	return out.err
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
