package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"vitrine/core/flight"
	"vitrine/crash/bundle"
)

var update = flag.Bool("update", false, "write the golden files anew")

// crashedAt is when the fixtures crashed.
var crashedAt = time.Date(2026, 11, 22, 17, 44, 43, 108e6, time.UTC)

// crashFixture is a directory of bundles.
type crashFixture struct {
	t     *testing.T
	dir   string
	store *bundle.Store
}

func newCrashFixture(t *testing.T) *crashFixture {
	t.Helper()
	f := &crashFixture{t: t, dir: filepath.Join(t.TempDir(), "crash")}
	var err error
	f.store, err = bundle.Open(f.dir, bundle.Limits{}, func() time.Time { return crashedAt.Add(time.Hour) })
	f.must(err)
	t.Cleanup(func() { f.store.Close() })
	return f
}

func (f *crashFixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// bundle writes a bundle with these files and returns its id.
func (f *crashFixture) bundle(m *bundle.Meta, files map[string]string) string {
	f.t.Helper()
	w, err := f.store.Begin(m.Class, m.Fingerprint, m.Process.PID, m.Time)
	f.must(err)
	for _, name := range sortedKeys(files) {
		f.must(w.Write(name, []byte(files[name])))
	}
	id, err := w.Finish(m)
	f.must(err)
	return id
}

// run runs a crash command on the fixture.
func (f *crashFixture) run(args ...string) said {
	return run(append([]string{"crash", "--dir", f.dir}, args...)...)
}

// meta is what is known of a panic in a handler, with everything filled in.
func panicMeta() *bundle.Meta {
	return &bundle.Meta{
		Class: bundle.ClassGoroutine, Reason: "panic: player 42 has hp -1", ReasonHow: "text", Time: crashedAt, Event: strings.Repeat("e1", 16),
		Process: bundle.Process{PID: 7148, Name: "vitrine", Args: []string{"vitrine", "up"}, Started: crashedAt.Add(-5*time.Hour - 12*time.Minute)},
		Exit:    &bundle.Exit{Known: true, Code: 2},
		Build: bundle.Build{ID: "f00d", Go: "go1.26.8", Module: "vitrine", Version: "(devel)", Revision: "0123456789abcdef0123456789abcdef01234567",
			Modified: true, OS: "linux", Arch: "amd64"},
		Where: bundle.Where{Server: "chat", Worker: 3, Callback: "OnRecv", Session: "4294967297", Packet: 1001,
			Function: "vitrine/servers/demo/chat.(*Chat).hit", File: "/srv/game/servers/demo/chat/player.go", Line: 42},
		Trace: strings.Repeat("5f0c", 8), Span: strings.Repeat("0a", 8), Fingerprint: "0123abcd0123abcd", Goroutine: 7, Goroutines: 1204,
		Timings:      bundle.Timings{StopUS: 5123, TextMS: 12, DeadMS: 20, CompleteMS: 560},
		Capabilities: map[string]string{"ptrace": "yes", "kernel": "6.18"}, Dropped: map[string]uint64{"notes": 3},
		Core:     bundle.Core{State: bundle.CoreNone, Why: "cores are switched off", Executable: "/srv/game/vitrine"},
		Before:   bundle.Before{Count: 4, First: crashedAt.Add(-48 * time.Hour), Last: crashedAt.Add(-time.Hour), HeldBack: 2},
		Problems: []string{"log.tail: no file", "read echo-0.flight: not a flight file", "exit status: the kernel does not tell"},
	}
}

// panicText is a crash of 1204 goroutines in 7 stacks, of which the first died 9 frames below main.
func panicText() string {
	var b strings.Builder
	b.WriteString("panic: player 42 has hp -1\n\ngoroutine 7 [running, locked to thread labels:{\"server\": \"chat\", \"worker\": \"3\"}]:\n")
	frame := func(name, file string, line int) {
		fmt.Fprintf(&b, "%s(0xc000012345)\n\t%s:%d +0x1d\n", name, file, line)
	}
	frame("panic", "/usr/local/go/src/runtime/panic.go", 879)
	for i, name := range []string{"demo/chat.(*Chat).hit", "demo/chat.(*Chat).OnRecv", "netserver.(*handler).recv", "observe.(*hooks).recv"} {
		frame("vitrine/servers/"+name, "/srv/game/servers/file.go", 40+i)
	}
	for _, name := range []string{"dispatch", "receive", "turn", "loop"} {
		frame("vitrine/core/engine.(*worker)."+name, "/srv/game/core/engine/worker.go", 100)
	}
	id := 8
	group := func(n int, state, name, file string, line int) {
		for range n {
			fmt.Fprintf(&b, "\ngoroutine %d [%s]:\n", id, state)
			frame(name, file, line)
			id++
		}
	}
	group(1000, "chan receive", "vitrine/servers/demo/chat.(*Chat).write", "/srv/game/servers/demo/chat/write.go", 17)
	group(100, "select", "vitrine/core/engine.(*worker).wait", "/srv/game/core/engine/worker.go", 31)
	group(98, "IO wait", "internal/poll.runtime_pollWait", "/usr/local/go/src/runtime/netpoll.go", 351)
	group(3, "sleep", "time.Sleep", "/usr/local/go/src/runtime/time.go", 300)
	group(1, "syscall", "os/signal.signal_recv", "/usr/local/go/src/runtime/sigqueue.go", 152)
	group(1, "semacquire", "sync.(*WaitGroup).Wait", "/usr/local/go/src/sync/waitgroup.go", 118)
	return b.String()
}

// panicFlight are the records of two workers; session 4294967297 was on worker 3.
func panicFlight(t *testing.T) string {
	t.Helper()
	zero := crashedAt.Add(-time.Minute)
	at := func(d time.Duration) int64 { return int64(time.Minute + d) }
	mine := func(seq uint64, typ uint16, before time.Duration) flight.Record {
		return flight.Record{Session: 4294967297, Seq: seq, Recv: at(-before), Kind: flight.KindPacket, Type: typ, Size: 24, Worker: 3, Handle: 120_000, Out: 8}
	}
	open := mine(14, 1001, 0)
	open.Flags, open.Handle, open.Out = flight.FlagOpen, 0, 0
	bad := mine(13, 1007, 2*time.Millisecond)
	bad.Flags, bad.Err = flight.FlagError|flight.FlagSlow, 5
	other := mine(12, 9, time.Millisecond)
	other.Session = 5
	workers := []map[string]any{
		{"server": "chat", "worker": 3, "zero": zero, "lifecycle": []flight.Record{
			{Session: 4294967297, Seq: 1, Recv: at(-30 * time.Second), Kind: flight.KindSession, Type: 1, Worker: 3},
		}, "packets": []flight.Record{mine(10, 1000, 9*time.Millisecond), mine(11, 1003, 5*time.Millisecond), other, bad, open}},
		{"server": "echo", "worker": 3, "zero": zero, "packets": []flight.Record{mine(2, 77, time.Second)}, "lifecycle": nil},
	}
	text, err := json.Marshal(workers)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// panicFiles are the files of a bundle with everything in it.
func panicFiles(t *testing.T) map[string]string {
	return map[string]string{
		"crash.txt": panicText(), "flight.json": panicFlight(t), "core.zst": compressed(t, strings.Repeat("core", 1<<18)),
		"log.tail": strings.Repeat("[network] [2026-11-22T17:44:42.000000Z / INFO / 4710] session joined session=4294967297\n", 9) +
			"[game] [2026-11-22T17:44:43.000000Z / WARN / 4711] player has little hp session=4294967297 hp=1\n",
	}
}

func compressed(t *testing.T, text string) string {
	t.Helper()
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return string(e.EncodeAll([]byte(text), nil))
}

// golden compares a text with a file below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it anew); got:\n%s\nwant:\n%s", path, got, want)
	}
}
