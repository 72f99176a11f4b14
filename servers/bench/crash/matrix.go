//go:build linux

package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"vitrine/crash/provoke"
)

// MatrixCommand is the crashmatrix subcommand: every class, again and again.
type MatrixCommand struct {
	Runs    int      `default:"10" help:"How often each class happens."`
	Classes []string `name:"class" help:"Classes to run (default: all)."`
	Dir     string   `type:"path" default:"var/crash-matrix" help:"Where bundles are; those at which something is missing are left there."`
	JSON    bool     `name:"json" help:"Print one JSON line instead of the table."`
	tools
}

var errIncomplete = errors.New("a row is incomplete")

// Run provokes, looks, prints, and fails when a row is incomplete.
func (c *MatrixCommand) Run(ctx context.Context) error {
	classes, err := pick(c.Classes)
	if err != nil {
		return err
	}
	var rows []*row
	for i := range classes {
		r, err := c.repeat(ctx, &classes[i])
		if err != nil {
			return fmt.Errorf("class %s: %w", classes[i].Name, err)
		}
		rows = append(rows, r)
		fmt.Fprintf(os.Stderr, "%s: %d of %d complete\n", r.Class, r.Complete, r.Runs)
	}
	if c.JSON {
		err = json.NewEncoder(os.Stdout).Encode(rows)
	} else {
		err = printRows(os.Stdout, rows)
	}
	for _, r := range rows {
		if err == nil && r.Complete != r.Runs {
			err = errIncomplete
		}
	}
	return err
}

// pick returns the classes of some names, all for none, and fails when this program lacks what one needs.
func pick(names []string) ([]provoke.Class, error) {
	classes := provoke.Classes()
	if len(names) > 0 {
		classes = nil
	}
	for _, name := range names {
		class, err := provoke.Find(name)
		if err != nil {
			return nil, err
		}
		classes = append(classes, class)
	}
	for _, class := range classes {
		if lacks := class.Lacks(); lacks != "" {
			return nil, fmt.Errorf("class %s: %s", class.Name, lacks)
		}
	}
	return classes, nil
}

// repeat provokes one class Runs times.
func (c *MatrixCommand) repeat(ctx context.Context, class *provoke.Class) (*row, error) {
	bare, err := provoke.Run(ctx, provoke.Options{Class: class.Name, Bare: true})
	if err != nil {
		return nil, err
	}
	r := newRow(class, c.Runs, bare.Status)
	for i := range c.Runs {
		dir := filepath.Join(c.Dir, fmt.Sprintf("%s-%d", class.Name, i+1))
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		missing, err := c.once(ctx, class, dir, r)
		if err != nil {
			return nil, err
		}
		for _, text := range missing {
			fmt.Fprintf(os.Stderr, "%s: %s\n", dir, text)
		}
		if len(missing) == 0 {
			r.Complete++
			err = os.RemoveAll(dir)
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

// once provokes a class, counts what is there, and says what is not.
func (c *MatrixCommand) once(ctx context.Context, class *provoke.Class, dir string, r *row) ([]string, error) {
	o, err := provoke.Run(ctx, provoke.Options{Class: class.Name, Dir: dir})
	if err != nil {
		return nil, err
	}
	missing := append(o.Missing, r.count(class, o)...)
	if o.Meta == nil || o.Meta.Core.File == "" || class.NoCore != "" {
		return missing, nil
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	fault, err := c.look(ctx, program, class, o)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		missing = append(missing, err.Error())
	case fault != "":
		missing = append(missing, "core: "+fault)
	default:
		r.Cores++
	}
	return missing, nil
}
