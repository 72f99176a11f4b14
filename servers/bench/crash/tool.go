//go:build linux

package crash

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// debugLimit bounds each call of a tool.
const debugLimit = 2 * time.Minute

// tools are the programs of others that a run needs.
type tools struct {
	DLV  string `name:"dlv" help:"Delve (default: the one in PATH)." default:"dlv"`
	Zstd string `help:"zstd." default:"zstd"`
}

// escapes are what colours text on a terminal.
var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// run runs a tool to its end without input, and returns what it said. Its exit status is no error: the output is judged.
func run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, debugLimit)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr, c.WaitDelay = &out, &out, time.Second
	err := c.Run()
	if c.ProcessState == nil { // it did not even start
		return "", fmt.Errorf("run %s: %w", name, err)
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("run %s: %w", name, ctx.Err())
	}
	return escapes.ReplaceAllString(out.String(), ""), nil
}

// expand makes the core of a bundle a file that debuggers read.
func (t *tools) expand(ctx context.Context, bundle string) (string, error) {
	core := filepath.Join(bundle, "core")
	out, err := run(ctx, t.Zstd, "-dqf", "--sparse", filepath.Join(bundle, "core.zst"), "-o", core)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(core); err != nil || info.Size() == 0 {
		return "", fmt.Errorf("expand core: zstd said %.200q", out)
	}
	return core, nil
}

// debug opens a core and returns what the commands print, each with its name above it.
func (t *tools) debug(ctx context.Context, program, core string, commands ...string) (map[string]string, error) {
	var script strings.Builder
	for i, command := range commands {
		fmt.Fprintf(&script, "print \"%s%d\"\n%s\n", mark, i, command)
	}
	script.WriteString("exit\n")
	path := core + ".commands"
	if err := os.WriteFile(path, []byte(script.String()), 0o600); err != nil {
		return nil, err
	}
	out, err := run(ctx, t.DLV, "core", program, core, "--init", path, "--allow-non-terminal-interactive=true")
	if err != nil {
		return nil, err
	}
	answers := map[string]string{}
	for i, command := range commands {
		_, after, found := strings.Cut(out, fmt.Sprintf("%s%d\"\n", mark, i))
		if !found {
			return nil, fmt.Errorf("%s: dlv said %.300q", command, out)
		}
		answers[command], _, _ = strings.Cut(after, `"`+mark)
	}
	return answers, nil
}

// mark is printed between the answers.
const mark = "-- answer "
