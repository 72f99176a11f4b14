package provoke

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"vitrine/crash"
	"vitrine/crash/bundle"
)

// marker is the variable of the environment that makes a program a victim; its value is an order.
const marker = "VITRINE_CRASH_PROVOKE"

// order is what a victim is told.
type order struct {
	Class    string `json:"class"`
	Dir      string `json:"dir"`
	RunDir   string `json:"run_dir"`
	Bare     bool   `json:"bare,omitempty"`
	Heap     int64  `json:"heap,omitempty"`
	Watchdog bool   `json:"watchdog,omitempty"` // the deadman timer runs
	Untraced bool   `json:"untraced,omitempty"` // a filter of system calls is to be set up first that refuses ptrace
}

// victim is a process that dies on purpose.
type victim struct {
	class    Class
	process  *crash.Process // nil without capture
	released chan struct{}  // closed when the input has ended
	longest  atomic.Int64   // longest standstill, in nanoseconds; negative = nobody looks
}

// Exit statuses of a victim that could not be one.
const statusNoVictim = 99

// Serve makes this process a crash monitor, or a victim, and does not return, if it was started as one. Otherwise it does nothing.
// A program whose process is to be provoked calls it before anything else in main.
func Serve() {
	crash.ServeMonitor()
	text, ok := os.LookupEnv(marker)
	if !ok {
		return
	}
	if err := serve(text); err != nil {
		fmt.Fprintln(os.Stderr, "victim:", err)
		os.Exit(statusNoVictim)
	}
	os.Exit(0)
}

// serve is the main of a victim.
func serve(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	if o.Untraced {
		return o.refuseTracing()
	}
	class, err := Find(o.Class)
	if err != nil {
		return err
	}
	v := &victim{class: class, released: make(chan struct{})}
	v.longest.Store(-1)
	if err := v.arm(o); err != nil {
		return err
	}
	ballast, crowd := populate(o.Heap)
	messages := make(chan *player)
	for range waiting {
		go wait(messages) // ends with the process
	}
	fmt.Println("armed", v.ready())
	v.converse()
	close(v.released)
	v.process.Close()
	runtime.KeepAlive(ballast)
	runtime.KeepAlive(crowd)
	return nil
}

// refuseTracing carries the order out in a process that may not be traced. It returns when there cannot be one.
func (o order) refuseTracing() error {
	o.Untraced = false
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := os.Setenv(marker, string(text)); err != nil {
		return err
	}
	return RefuseTracing(os.Environ())
}

//go:noinline
func wait(messages <-chan *player) { <-messages }

// arm starts the capture, unless the order is to do without.
func (v *victim) arm(o order) (err error) {
	if o.Bare {
		debug.SetMaxStack(crash.DefaultMaxStack)
		return nil
	}
	cfg := crash.Config{
		Dir: o.Dir, RunDir: o.RunDir, Name: "victim", Stall: stall, Deadman: -1, PanicEvery: 1, Limits: Limits(), Notify: warnings,
	}
	if o.Watchdog {
		cfg.Deadman = crash.DefaultDeadman
	}
	v.process, err = crash.Start(cfg)
	return err
}

// stall is how long a victim's loop may be in one turn.
const stall = 200 * time.Millisecond

// Limits let each of many crashes on purpose have its bundle and its core.
func Limits() bundle.Limits {
	return bundle.Limits{BundleEvery: 1, CoreEvery: 1, BundlesPerHour: 100_000, LoopCrashes: 100, LoopWithin: 1}
}

// warnings tells on standard error what the capture lacks.
func warnings(e crash.Event) {
	if e.Level >= slog.LevelWarn {
		fmt.Fprintln(os.Stderr, append([]any{e.Message}, e.Attrs...)...)
	}
}

// ready waits until both monitors watch, and says whether they may take cores: "yes", or why not.
func (v *victim) ready() string {
	if v.process == nil {
		return "no capture"
	}
	late := time.After(readyLimit)
	for {
		s := v.process.Stats()
		if s.Monitors == 2 && s.Ptrace != "" {
			return s.Ptrace
		}
		select {
		case <-late:
			return fmt.Sprintf("%d monitors after %v", s.Monitors, readyLimit)
		case <-time.After(time.Millisecond):
		}
	}
}

// readyLimit is how long a victim waits for its monitors; where there are none it waits as long.
const readyLimit = 5 * time.Second

// converse does what the input says until it ends.
//
//go:noinline
func (v *victim) converse() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch in.Text() {
		case "provoke":
			go v.class.run(v) // ends with the process, or by itself
		case "gap":
			v.tellGap()
		case "fork":
			fmt.Println("fork", forkSelf())
		}
	}
}

// tellGap prints the longest standstill since it was asked last, and begins to look at the first time.
func (v *victim) tellGap() {
	longest := v.longest.Swap(0)
	if longest < 0 {
		go v.watchClock() // ends with the process
		longest = 0
	}
	fmt.Println("gap", longest)
}

// watchClock looks at the clock every millisecond, and notes how late that was at worst.
func (v *victim) watchClock() {
	for {
		began := time.Now()
		time.Sleep(time.Millisecond)
		late := int64(time.Since(began) - time.Millisecond)
		if late > v.longest.Load() {
			v.longest.Store(late) // a reader that resets in between loses nothing but this one
		}
	}
}
