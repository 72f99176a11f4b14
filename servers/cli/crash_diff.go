package cli

import (
	"encoding/json"
	"maps"
	"slices"

	"vitrine/crash/bundle"
	"vitrine/crash/traceback"
)

// crashDiffCommand compares two bundles.
type crashDiffCommand struct {
	A string `arg:"" help:"Id, the beginning of one, or last."`
	B string `arg:"" help:"The other."`
}

// Run prints what differs; that nothing does is no error.
func (c *crashDiffCommand) Run(crash *crashCommand, io *streams) error {
	defer keepBrokenPipe()()
	a, am, err := crash.find(c.A)
	if err != nil {
		return err
	}
	b, bm, err := crash.find(c.B)
	if err != nil {
		return err
	}
	differences := bundle.Diff(am, bm, dumpOf(a), dumpOf(b))
	if crash.JSON {
		return printDiffJSON(io, differences)
	}
	p := &page{lines: lines{w: io.out}, extent: extent{width: oneScreen.width}}
	p.line("- " + a.ID)
	p.line("+ " + b.ID)
	if len(differences) == 0 {
		p.line("nothing differs but what always does")
	}
	for _, d := range differences {
		p.difference(d)
	}
	return printed(p.err)
}

// difference prints one difference, on one line where it fits.
func (p *page) difference(d bundle.Difference) {
	line := visible(d.Name + ": " + orNone(d.A) + " -> " + orNone(d.B))
	if columns(line) <= p.width {
		p.line(line)
		return
	}
	p.line(d.Name)
	p.line("  - " + orNone(d.A))
	p.line("  + " + orNone(d.B))
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// dumpOf reads the goroutines of a bundle, nil when it has none.
func dumpOf(e bundle.Entry) *traceback.Dump {
	text, err := e.Read("crash.txt", maxCrashText)
	if err != nil {
		return nil
	}
	return traceback.Parse(text)
}

func printDiffJSON(io *streams, differences []bundle.Difference) error {
	type difference struct {
		Name string `json:"name"`
		A    string `json:"a"`
		B    string `json:"b"`
	}
	all := []difference{}
	for _, d := range differences {
		all = append(all, difference(d))
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.out.Write(append(safeJSON(text), '\n'))
	return printed(err)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
