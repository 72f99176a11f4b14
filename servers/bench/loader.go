//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// loader runs one load as a process of its own on a core of its own.
type loader struct {
	external     []string // a generator with the flags -c -d -s -t -w -h -p -P, or nil: this program
	core         int
	time, warmup time.Duration
}

// measure drives a running server once and returns what the load printed.
func (l *loader) measure(ctx context.Context, p *process, s shape) (loadResult, error) {
	line, err := l.commandLine(p, s)
	if err != nil {
		return loadResult{}, err
	}
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	command.Env = append(os.Environ(), pinnedEnv(l.core)...)
	var output bytes.Buffer
	command.Stdout = &output
	if err = onCore(l.core, command.Start); err != nil {
		return loadResult{}, err
	}
	if err = command.Wait(); err != nil {
		return loadResult{}, fmt.Errorf("load %s: %w", strings.Join(line, " "), err)
	}
	if l.external != nil {
		return parseExternal(output.String())
	}
	var r loadResult
	err = json.Unmarshal(output.Bytes(), &r)
	return r, err
}

func (l *loader) commandLine(p *process, s shape) ([]string, error) {
	pid := strconv.Itoa(p.pid())
	conns, depth, size := strconv.Itoa(s.conns), strconv.Itoa(s.depth), strconv.Itoa(s.size)
	if l.external != nil {
		seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
		return append(l.external[:len(l.external):len(l.external)],
			"-c", conns, "-d", depth, "-s", size, "-t", seconds(l.time), "-w", seconds(l.warmup),
			"-h", p.addr.Addr().String(), "-p", strconv.Itoa(int(p.addr.Port())), "-P", pid), nil
	}
	self, err := os.Executable()
	line := []string{self, "load", "--json", "--addr", p.addr.String(), "--pid", pid,
		"--conns", conns, "--depth", depth, "--size", size, "--codec", s.codec,
		"--time", l.time.String(), "--warmup", l.warmup.String()}
	if s.gathered {
		line = append(line, "--gathered")
	}
	return line, err
}
