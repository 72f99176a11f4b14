//go:build linux

package logs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"vitrine/logx"
)

// childLimit bounds how long a child logs that nobody kills.
const childLimit = 30 * time.Second

// ChildCommand is the process that is killed: it logs until it dies.
type ChildCommand struct {
	Kind    string `arg:"" help:"Which logger."`
	Dir     string `arg:"" help:"An empty directory."`
	Counter string `arg:"" help:"File of the calls that have returned."`
	Callers int    `default:"1" help:"Goroutines that log."`
}

// Run logs until the process is killed; it fails when a call is refused, or
// nobody kills it.
func (c *ChildCommand) Run() error {
	if c.Callers < 1 || c.Callers > maxCallers {
		return fmt.Errorf("child: %d callers, from 1 to %d can be", c.Callers, maxCallers)
	}
	k, err := findKind(c.Kind)
	if err != nil {
		return fmt.Errorf("child: %w", err)
	}
	shared, err := openCounter(c.Counter)
	if err != nil {
		return fmt.Errorf("child: %w", err)
	}
	s, err := k.open(medium{dir: c.Dir, ours: logx.Config{Block: everyLevel, NoCompress: true}})
	if err != nil {
		return fmt.Errorf("child: open %s: %w", c.Kind, err)
	}
	refused := make(chan int, c.Callers)
	for caller := range c.Callers {
		go func() { // Ends with the process.
			refused <- logForever(s.log, caller, shared)
		}()
	}
	select {
	case caller := <-refused:
		return fmt.Errorf("child: a call of caller %d was refused", caller)
	case <-time.After(childLimit):
		return errors.New("child: nobody killed it")
	}
}

// logForever returns when a call is refused. The session of a record is its
// caller, from 1; x is the number of the call, from 0.
func logForever(log func(*event) bool, caller int, shared *counter) int {
	var e event
	for n := range math.MaxInt {
		e.set(uint64(caller+1), n)
		if !log(&e) {
			break
		}
		shared.returned(caller, uint64(n+1))
	}
	return caller
}

// Limits of the wait for a child's calls.
const (
	pollStep  = 100 * time.Microsecond
	pollLimit = 20 * time.Second
)

// victim is a child that logs, owned by the goroutine that started it.
type victim struct {
	command *exec.Cmd
	shared  *counter
	callers int
	ended   chan struct{} // closed when it is gone; err is fixed then
	err     error
}

// startVictim runs this program as the child. It ends by kill, with ctx, and
// with the thread that started it.
func startVictim(ctx context.Context, kind, dir, counterPath string, callers int) (*victim, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	v := &victim{callers: callers, ended: make(chan struct{})}
	if v.shared, err = openCounter(counterPath); err != nil {
		return nil, err
	}
	v.command = exec.CommandContext(ctx, self, childName, kind, dir, counterPath, "--callers", strconv.Itoa(callers))
	v.command.Stderr = os.Stderr
	if err = v.command.Start(); err != nil {
		v.shared.close()
		return nil, err
	}
	go func() { // Ends with the child.
		v.err = v.command.Wait()
		close(v.ended)
	}()
	return v, nil
}

// childName is the subcommand that a child runs.
const childName = "logkill-child"

// killAfter waits until so many calls have returned, kills the child, and says
// how many calls of each caller had returned when it was dead.
func (v *victim) killAfter(threshold uint64) ([]uint64, error) {
	defer v.shared.close()
	err := v.await(threshold)
	_ = v.command.Process.Signal(syscall.SIGKILL) // It fails only when the child has ended.
	<-v.ended
	if err != nil {
		return nil, err
	}
	return v.shared.calls(v.callers), nil
}

func (v *victim) await(threshold uint64) error {
	poll := time.NewTicker(pollStep)
	defer poll.Stop()
	limit := time.After(pollLimit)
	for {
		select {
		case <-poll.C:
			if sum(v.shared.calls(v.callers)) >= threshold {
				return nil
			}
		case <-v.ended:
			return fmt.Errorf("the child ended by itself: %w", v.err)
		case <-limit:
			return fmt.Errorf("%d calls returned in %v, want %d", sum(v.shared.calls(v.callers)), pollLimit, threshold)
		}
	}
}

func sum(values []uint64) (total uint64) {
	for _, v := range values {
		total += v
	}
	return total
}
