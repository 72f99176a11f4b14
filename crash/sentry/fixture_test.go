package sentry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/sentry/sentrytest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		child(role)
		return
	}
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clock is a time that moves when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a spool, a sink and a clock.
type world struct {
	t     testing.TB
	sink  *sentrytest.Sink
	clock *clock
	spool string
	*Sender
}

// newWorld starts a sink and makes a sender for a new spool. change may be nil.
func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, sink: sentrytest.New(), clock: newClock(), spool: filepath.Join(t.TempDir(), "spool")}
	t.Cleanup(w.sink.Close)
	t.Cleanup(func() {
		for _, p := range w.sink.Problems() {
			t.Errorf("the sink says: %s", p)
		}
	})
	w.Sender = w.sender(change)
	return w
}

// sender makes another sender for the same spool, as a new process would.
func (w *world) sender(change func(*Config)) *Sender {
	w.t.Helper()
	c := Config{DSN: w.sink.DSN(), Spool: w.spool, Now: w.clock.Now}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	must(w.t, err)
	return s
}

const crashText = `panic: no such player

goroutine 7 [running]:
vitrine/game.(*World).Move(0xc000012345, 0x2a)
	/src/game/world.go:41 +0x1d
vitrine/core/engine.(*worker).turn(0xc0000aa000)
	/src/core/engine/turn.go:88 +0x99
created by vitrine/core/engine.(*Server).Start in goroutine 1
	/src/core/engine/server.go:120 +0x44

goroutine 1 [chan receive, 3 minutes]:
main.main()
	/src/main.go:20 +0x11

goroutine 8 [select]:
vitrine/core/engine.(*worker).wait(0xc0000aa100)
	/src/core/engine/turn.go:31 +0x22

goroutine 9 [select]:
vitrine/core/engine.(*worker).wait(0xc0000aa200)
	/src/core/engine/turn.go:31 +0x22
`

// newBundle writes the files of a bundle, crash.txt aside as given by name and text in turn.
func newBundle(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "crash.txt"), []byte(crashText), 0o600))
	for i := 0; i < len(files); i += 2 {
		must(t, os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600))
	}
	return dir
}

// meta is the metadata of the n-th crash, of a fingerprint of its own.
func (w *world) meta(n int) *bundle.Meta {
	return &bundle.Meta{
		Schema: bundle.Schema, ID: fmt.Sprintf("20261122T174443.108Z-%d-goroutine-%08x", n+1, n), Event: fmt.Sprintf("%032x", n+1),
		Class: bundle.ClassGoroutine, Reason: "panic: no such player", ReasonHow: "text", Time: w.clock.Now(),
		Fingerprint: fmt.Sprintf("%016x", n+1), Where: bundle.Where{Server: "game", Worker: 1, Callback: "OnRecv", Packet: 1001},
	}
}

// put spools n events, numbered from first.
func (w *world) put(dir string, first, n int) {
	w.t.Helper()
	for i := first; i < first+n; i++ {
		must(w.t, w.Put(dir, w.meta(i)))
	}
}

// send sends and wants no error.
func (w *world) send() Result {
	w.t.Helper()
	r, err := w.Send(context.Background())
	must(w.t, err)
	return r
}

// arrived checks that the events from 0 to n arrived, each once.
func (w *world) arrived(n int) {
	w.t.Helper()
	events := w.sink.Events()
	seen := map[string]bool{}
	for _, e := range events {
		seen[e.ID] = true
		if e.Times != 1 {
			w.t.Errorf("event %s came %d times", e.ID, e.Times)
		}
	}
	if len(events) != n || len(seen) != n {
		w.t.Errorf("%d events arrived, %d ids, want %d", len(events), len(seen), n)
	}
	for i := range n {
		if id := fmt.Sprintf("%032x", i+1); !seen[id] {
			w.t.Errorf("event %s is missing", id)
		}
	}
}

// counts gives the counts of the spool.
func (w *world) counts() Counts {
	w.t.Helper()
	st, err := w.Stats()
	must(w.t, err)
	return st.Counts
}

// spooledIDs lists the envelopes of the spool.
func (w *world) spooledIDs() []string {
	w.t.Helper()
	files, err := w.list()
	must(w.t, err)
	var ids []string
	for _, f := range files {
		ids = append(ids, f.id)
	}
	return ids
}

// tidy checks that the spool holds nothing but its own files.
func (w *world) tidy() {
	w.t.Helper()
	names, err := w.names()
	must(w.t, err)
	for _, name := range names {
		if strings.HasPrefix(name, tempPrefix) {
			w.t.Errorf("%s was left behind", name)
		}
		info, err := os.Lstat(w.path(name))
		must(w.t, err)
		if info.Mode().Perm()&0o077 != 0 {
			w.t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

var errDisk = errors.New("no space left on device")
