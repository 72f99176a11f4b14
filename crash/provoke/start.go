package provoke

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"vitrine/crash/bundle"
)

// Options say what is provoked. Class is needed, and Dir unless Bare.
type Options struct {
	Class  string
	Dir    string        // directory of the bundles
	Args   []string      // arguments with which this program comes to Serve
	Bare   bool          // without capture: what the exit status is then
	Heap   int64         // bytes of heap to carry besides: half random, half pointers
	Wait   time.Duration // bounds each step; default 30 s
	Stderr io.Writer     // gets what the victim says; nil = nobody

	// Untraced runs it below a filter of system calls that refuses ptrace, as some containers do. It needs linux/amd64.
	Untraced bool
}

const defaultWait = 30 * time.Second

// Victim is a process that waits for what is to happen to it. It belongs to one goroutine.
type Victim struct {
	class   Class
	options Options
	command *exec.Cmd
	in      io.WriteCloser
	lines   chan string   // what it prints; closed at its end
	ended   chan struct{} // closed when it is gone
	run     string        // where its run directory is
	store   *bundle.Store // nil when bare
	ptrace  string        // whether its monitors may take cores
	seen    map[string]bool
	dying   bool // it was provoked, and will not survive it
}

// Start runs this program as a victim and waits until it is armed. Close ends it.
func Start(ctx context.Context, o Options) (*Victim, error) {
	class, err := Find(o.Class)
	if err != nil {
		return nil, err
	}
	if lacks := class.Lacks(); lacks != "" {
		return nil, fmt.Errorf("class %s: %s", o.Class, lacks)
	}
	if o.Untraced && untracedLacks != "" {
		return nil, errors.New(untracedLacks)
	}
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	v := &Victim{class: class, options: o, seen: map[string]bool{}}
	err = v.launch(ctx)
	if err == nil {
		err = v.await()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start victim of class %s: %w", o.Class, err), v.Close())
	}
	return v, nil
}

// launch starts the process.
func (v *Victim) launch(ctx context.Context) error {
	var err error
	if !v.options.Bare {
		if v.store, err = bundle.Open(v.options.Dir, Limits(), nil); err != nil {
			return err
		}
	}
	if v.run, err = os.MkdirTemp(sharedMemory(), "vitrine-provoke-"); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(order{
		Class: v.class.Name, Dir: v.options.Dir, RunDir: v.run, Bare: v.options.Bare, Heap: v.options.Heap, Untraced: v.options.Untraced,
	})
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, program, v.options.Args...)
	c.Env = append(os.Environ(), marker+"="+string(text))
	c.Stderr, c.WaitDelay = v.options.Stderr, v.options.Wait
	return v.startCommand(c)
}

// sharedMemory is where run directories are: on memory where there is such, else wherever temporary files are.
func sharedMemory() string {
	const dir = "/dev/shm"
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir
	}
	return ""
}

func (v *Victim) startCommand(c *exec.Cmd) (err error) {
	if v.in, err = c.StdinPipe(); err != nil {
		return err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	v.command, v.lines, v.ended = c, make(chan string, maxLines), make(chan struct{})
	go v.listen(out) // ends with the victim
	return nil
}

// maxLines is how many lines of a victim may wait to be read; it answers one by one.
const maxLines = 16

// listen reads what the victim prints, and then waits for its end.
func (v *Victim) listen(out io.Reader) {
	in := bufio.NewScanner(out)
	for in.Scan() {
		select {
		case v.lines <- in.Text():
		default: // more than was asked for
		}
	}
	_ = v.command.Wait() // its status is in ProcessState
	close(v.ended)
	close(v.lines)
}

// await waits until the victim is armed.
func (v *Victim) await() error {
	line, err := v.line()
	if err != nil {
		return err
	}
	ptrace, armed := strings.CutPrefix(line, "armed ")
	if !armed {
		return fmt.Errorf("it said %.80q in place of armed", line)
	}
	v.ptrace = ptrace
	return nil
}

// line reads the next line.
func (v *Victim) line() (string, error) {
	select {
	case line, ok := <-v.lines:
		if !ok {
			return "", fmt.Errorf("it ended with status %d", status(v.command.ProcessState))
		}
		return line, nil
	case <-time.After(v.options.Wait):
		return "", fmt.Errorf("it said nothing for %v", v.options.Wait)
	}
}

// PID is the process id of the victim.
func (v *Victim) PID() int { return v.command.Process.Pid }

// status is the exit status of a process as shells have it: 128 and the signal for one that a signal ended.
func status(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
