package sentry

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"vitrine/crash/sentry/sentrytest"
)

// The environment of a child process: what it does, to which spool, for which DSN, with which events.
const (
	childRole   = "SENTRY_TEST_ROLE"
	childSpool  = "SENTRY_TEST_SPOOL"
	childDSN    = "SENTRY_TEST_DSN"
	childBundle = "SENTRY_TEST_BUNDLE"
	childFirst  = "SENTRY_TEST_FIRST"
)

// perChild is how many events a child puts into the spool.
const perChild = 20

// child is the life of a child process.
func child(role string) {
	s, err := New(Config{DSN: os.Getenv(childDSN), Spool: os.Getenv(childSpool)})
	if err != nil {
		panic(err)
	}
	// The parent kills the one that stops here. Were it to go on, the parent's end would end it: its standard input.
	stop := func(id string) { fmt.Println(id); io.Copy(io.Discard, os.Stdin) }
	switch role {
	case "answered":
		s.hooks.answered = stop
	case "listed":
		s.hooks.listed = stop
	case "share":
		childPuts(s)
	}
	r, err := s.Send(context.Background())
	fmt.Println(r.Sent, r.Kept, err)
}

// childPuts puts and sends in turn, as servers that share a spool do.
func childPuts(s *Sender) {
	w := &world{clock: newClock()}
	first, _ := strconv.Atoi(os.Getenv(childFirst))
	for i := first; i < first+perChild; i++ {
		if err := s.Put(os.Getenv(childBundle), w.meta(i)); err != nil {
			panic(err)
		}
		if i%5 == 0 {
			s.Send(context.Background())
		}
	}
}

// start runs a child. Its standard input ends with the test.
func (w *world) start(t *testing.T, role, dir string, first int) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childSpool+"="+w.spool, childDSN+"="+w.sink.DSN(),
		childBundle+"="+dir, childFirst+"="+strconv.Itoa(first))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	t.Cleanup(func() { in.Close() })
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return cmd, bufio.NewReader(out)
}

func TestProcessesShareASpool(t *testing.T) {
	w := newWorld(t, nil)
	dir := newBundle(t)
	a, outA := w.start(t, "share", dir, 0)
	b, outB := w.start(t, "share", dir, perChild)
	for _, out := range []io.Reader{outA, outB} {
		text, err := io.ReadAll(out)
		must(t, err)
		t.Logf("%s", text)
	}
	must(t, a.Wait())
	must(t, b.Wait())
	if r := w.send(); r.Kept != 0 {
		t.Errorf("%+v", r)
	}
	w.arrived(2 * perChild)
	if c := w.counts(); c.Put != 2*perChild || c.Sent != 2*perChild {
		t.Errorf("counts %+v", c)
	}
}

func TestGoroutinesShareASpool(t *testing.T) {
	w := newWorld(t, nil)
	dir := newBundle(t)
	w.sink.Down(true)
	w.put(dir, 0, 20)
	w.Send(context.Background())
	w.sink.Down(false)
	w.clock.Add(MaxBackOff)
	var wg sync.WaitGroup
	for n := range 4 {
		s := w.sender(nil)
		wg.Go(func() {
			for i := range 20 {
				if err := s.Put(dir, w.meta(20+(5*n+i)%20)); err != nil {
					t.Error(err)
				}
			}
			if _, err := s.Send(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.arrived(40)
}

// killAt lets a child send until a point, kills it there, and sends the rest.
func killAt(t *testing.T, role string) (w *world, id string) {
	w = newWorld(t, nil)
	w.put(newBundle(t), 0, 20)
	cmd, out := w.start(t, role, "", 0)
	line, err := out.ReadString('\n')
	must(t, err)
	must(t, cmd.Process.Kill())
	cmd.Wait()
	if r := w.send(); r.Kept != 0 || len(w.sink.Events()) != 20 {
		t.Errorf("%+v, %d events", r, len(w.sink.Events()))
	}
	return w, line[:32]
}

// times checks that each event came once, but for one.
func (w *world) times(id string, want int) {
	w.t.Helper()
	for _, e := range w.sink.Events() {
		if n := map[bool]int{true: want, false: 1}[e.ID == id]; e.Times != n {
			w.t.Errorf("event %s came %d times, want %d", e.ID, e.Times, n)
		}
	}
}

// Killed after the answer and before it could write that down: the event comes again, with the id it had.
func TestKilledBeforeListingSendsTheSameID(t *testing.T) {
	w, id := killAt(t, "answered")
	w.times(id, 2)
}

// Killed between the list and the deletion: the event does not come again.
func TestKilledBeforeDeletionSendsNothing(t *testing.T) {
	w, _ := killAt(t, "listed")
	w.times("", 0)
	w.tidy()
}

// Killed while the server has the event and no answer went out.
func TestKilledDuringTheRequest(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 10)
	arrived, killed := make(chan string, 10), make(chan struct{})
	w.sink.Judge(func(e sentrytest.Event) int { arrived <- e.ID; <-killed; return 0 })
	cmd, _ := w.start(t, "send", "", 0)
	id := <-arrived
	must(t, cmd.Process.Kill())
	cmd.Wait()
	close(killed)
	w.send()
	w.times(id, 2)
	if len(w.sink.Events()) != 10 {
		t.Errorf("%d events", len(w.sink.Events()))
	}
}
