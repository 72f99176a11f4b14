//go:build linux

package crash

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// delve dumps a process that lives with dlv.
func (c *TimesCommand) delve(ctx context.Context, pid int) error {
	core := filepath.Join(c.Dir, "dlv.core")
	script := filepath.Join(c.Dir, "dlv.commands")
	defer os.Remove(core)
	if err := os.WriteFile(script, []byte("dump "+core+"\nquit\n"), 0o600); err != nil {
		return err
	}
	out, err := run(ctx, c.DLV, "attach", strconv.Itoa(pid), "--init", script, "--allow-non-terminal-interactive=true")
	return dumped(core, "dlv", out, err)
}

// gcore dumps a process that lives with gdb.
func (c *TimesCommand) gcore(ctx context.Context, pid int) error {
	prefix := filepath.Join(c.Dir, "gcore")
	core := prefix + "." + strconv.Itoa(pid)
	defer os.Remove(core)
	out, err := run(ctx, c.Gcore, "-o", prefix, strconv.Itoa(pid))
	return dumped(core, "gcore", out, err)
}

// dumped tells whether there is a core.
func dumped(core, by, out string, err error) error {
	if err != nil {
		return err
	}
	if info, err := os.Stat(core); err != nil || info.Size() == 0 {
		return fmt.Errorf("%s wrote no core and said %.300q", by, out)
	}
	return nil
}
