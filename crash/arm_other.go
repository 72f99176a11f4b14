//go:build !linux

package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"time"

	"vitrine/crash/monitor"
)

// hook is the monitor that reads the crash's text.
type hook struct {
	pipe    *os.File // to its standard input; nil when there is none
	command *exec.Cmd
}

// arm starts a monitor that reads text alone, and gives the runtime its input.
func (p *Process) arm() {
	p.warn("cores and the exit status", fmt.Errorf("this system has text alone"))
	close(p.tried) // there is nothing to try
	if err := p.armText(); err != nil {
		p.warn("crash output", err)
		return
	}
	p.setTraceback()
	p.running.Go(p.tick) // ends with done
}

// fullTraceback is what tracebacks say where there is time for all: every goroutine. More is of use to who reads memory.
const fullTraceback = "all"

// tickEvery is how often the process looks after its capture.
const tickEvery = time.Second

// tick looks after the level of tracebacks.
func (p *Process) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.setTraceback()
		case <-p.done:
			return
		}
	}
}

func (p *Process) armText() error {
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make crash pipe: %w", err)
	}
	defer read.Close()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	c := exec.Command(program)
	c.Env = append(os.Environ(), monitor.Marker+"="+monitor.RoleText)
	c.Stdin = read
	if err := c.Start(); err != nil {
		return fmt.Errorf("start crash monitor: %w", err)
	}
	p.hook = hook{pipe: write, command: c}
	setup := p.setup
	if err := monitor.NewConn(write).Send(&setup); err != nil {
		return err
	}
	if err := debug.SetCrashOutput(write, debug.CrashOptions{}); err != nil {
		return fmt.Errorf("set crash output: %w", err)
	}
	return nil
}

// disarm tells the monitor that the process ends in good order.
func (p *Process) disarm() {
	if p.hook.pipe == nil {
		return
	}
	p.warn("crash output", debug.SetCrashOutput(nil, debug.CrashOptions{}))
	resetTraceback()
	p.warn("farewell to the monitor", monitor.EndText(p.hook.pipe))
	p.hook.pipe.Close()
	p.warn("crash monitor", p.hook.command.Wait())
}

// makeRunDir makes this process's own directory, in base or in dir.
func makeRunDir(base, dir string) (string, error) {
	if base == "" {
		base = filepath.Join(dir, "run")
	}
	if err := os.MkdirAll(base, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(base, fmt.Sprintf("%d-", os.Getpid()))
}

// threadID returns 0: no snapshot asks for it.
func threadID() int { return 0 }
