package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/flight"
	"vitrine/crash"
	"vitrine/crash/bundle"
)

// captured returns a configuration with a capture in directories of the test's own. It returns where the monitors work, too.
func captured(t *testing.T) (cfg Config, run string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("bundles of panics need Linux")
	}
	dir, err := os.MkdirTemp("", "vitrine-observe-") // not the test's: a monitor may outlive it
	if err != nil {
		t.Fatal(err)
	}
	run = filepath.Join(dir, "run")
	t.Cleanup(func() {
		poll(t, "the monitors have ended", func() bool { return empty(run) })
		os.RemoveAll(dir)
	})
	return Config{
		OpsAddr: "127.0.0.1:0", CrashDir: filepath.Join(dir, "crash"), LogDir: t.TempDir(), LogLevel: slog.LevelError + 1,
		Crash: crash.Config{RunDir: run, NoCores: true, Static: map[string][]byte{"config.json": []byte("{}")}},
	}, run
}

func empty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err != nil || len(entries) == 0
}

// poll asks until it holds, at leisure: processes need the processor meanwhile.
func poll(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// bundles returns what is in a directory of bundles.
func bundles(t *testing.T, dir string) []*bundle.Meta {
	t.Helper()
	store, err := bundle.Look(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	entries, err := store.List()
	if err != nil {
		t.Fatal(err)
	}
	var metas []*bundle.Meta
	for _, e := range entries {
		m, err := e.Meta()
		if err != nil {
			t.Fatal(err)
		}
		metas = append(metas, m)
	}
	return metas
}

// A panic in a callback leaves one bundle that says where it was and what went on, and the server goes on.
func TestPanicsLeaveABundle(t *testing.T) {
	cfg, _ := captured(t)
	r := launchStack(t, cfg, engine.Config{Workers: 1, Name: "arena"})
	poll(t, "monitors", func() bool { return r.stack.Status().Crash.Monitors == 2 })
	slog.Info("logged in", "user", "ann", "password", "hunter2", slog.Group("secret", "plain", "hunter2"))
	victim, other := r.dial(), r.dial()
	victim.send(666, "boo")
	victim.gone()
	other.echoed(7, "still there")
	poll(t, "a bundle", func() bool { return r.stack.Status().Crash.Bundles == 1 })
	metas := bundles(t, cfg.CrashDir)
	if len(metas) != 1 {
		t.Fatalf("bundles: %d, want 1", len(metas))
	}
	m := metas[0]
	w := m.Where
	if m.Class != bundle.ClassPanic || w.Server != "arena" || w.Worker != 0 || w.Callback != "OnRecv" || w.Packet != 666 ||
		w.Session == "" || !strings.Contains(m.Reason, "the devil's packet") || !strings.Contains(w.Function, "(*echo).OnRecv") {
		t.Errorf("meta %+v", m)
	}
	if flight.Enabled && (!strings.HasPrefix(m.Trace, bootText(r.stack.Boot())) || m.Trace[16:] != m.Span) {
		t.Errorf("trace %q, span %q, want those of boot %s", m.Trace, m.Span, bootText(r.stack.Boot()))
	}
	checkFiles(t, cfg.CrashDir, m, w.Session)
	checkFigures(t, r)
}

// checkFiles reads the files of a bundle of a stack.
func checkFiles(t *testing.T, dir string, m *bundle.Meta, session string) {
	t.Helper()
	root := os.DirFS(filepath.Join(dir, m.ID))
	for name, want := range map[string]string{
		"crash.txt": "devil", "metrics.json": `"recv_packets"`, "sessions.json": `"arena"`, "log.segment": "process started",
		"config.json": "{}", "log.tail": "logged in", "env.json": "{", "blackbox.json": "arena/0",
	} {
		text, err := fs.ReadFile(root, name)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, want one with %q\n%.300s", name, err, want, text)
		}
		if strings.Contains(string(text), "hunter2") {
			t.Errorf("%s tells a password", name)
		}
	}
	if text, err := fs.ReadFile(root, "flight.json"); flight.Enabled && (err != nil || !strings.Contains(string(text), session)) {
		t.Errorf("flight.json: %v, want records of session %s\n%.300s", err, session, text)
	}
}

// checkFigures looks for the panic in /status, /metrics and the log.
func checkFigures(t *testing.T, r *rig) {
	t.Helper()
	got := r.stack.Status().Crash
	if got.Panics != 1 || got.HeldBack != 0 || got.Lost != 0 || got.Monitors != 2 || got.Dir == "" || got.Ptrace == "" {
		t.Errorf("/status: %+v", got)
	}
	_, text := r.get("/metrics")
	traced := fmt.Sprintf("vitrine_crash_capability{name=\"ptrace\"} %v", number(got.Ptrace == "yes"))
	for _, want := range []string{
		traced,
		"vitrine_crash_panics_total 1", "vitrine_crash_bundles_total 1", "vitrine_crash_monitors 2", `vitrine_crash_capability{name="capture"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	if err := r.stack.Journal().Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, message := range []string{"crash capture is on", "panic in a callback", "crash bundle written"} {
		if !logged(t, r.stack.Status().Log.Dir, message) {
			t.Errorf("the log has no %q", message)
		}
	}
}

// logged tells whether the files of a log hold a text.
func logged(t *testing.T, dir, message string) bool {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, "*.log")) // the pattern is well formed
	for _, path := range paths {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), message) {
			return true
		}
	}
	return false
}

// Where there is no capture, nothing is pretended, and panics are logged as ever.
func TestCaptureIsOptional(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	if got := r.stack.Status().Crash; got != (CrashStatus{}) {
		t.Errorf("/status: %+v, want nothing", got)
	}
	if got := r.stack.FlightDir(""); got != "" {
		t.Errorf("flight dir %q, want memory", got)
	}
	if _, text := r.get("/metrics"); !strings.Contains(text, `vitrine_crash_capability{name="capture"} 0`) {
		t.Error("/metrics does not say that there is no capture")
	}
}

func TestRunRefusesABadCapture(t *testing.T) {
	cfg, _ := captured(t)
	cfg.Crash.Deadman = time.Second
	err := Run(t.Context(), cfg, func(context.Context, *Stack) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "deadman") {
		t.Errorf("got %v, want what is wrong with the deadman", err)
	}
}

// The box has room for the figures of many servers.
func TestFiguresFitTheBlackBox(t *testing.T) {
	r := launch(t, engine.Config{Workers: 64})
	r.serve(engine.Config{Name: "second", Workers: 64})
	c := &capture{}
	c.stack.Store(r.stack)
	text := c.metrics()
	var status Status
	if err := json.Unmarshal(text, &status); err != nil || len(status.Servers) != 2 || len(text) > 16<<10 {
		t.Errorf("%d bytes, %v, want two servers in at most 16 KiB", len(text), err)
	}
}

func TestLiteralPatternsMatchTheirPath(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a backslash is a separator")
	}
	for _, path := range []string{"/var/log", "/a[b]/c*d?", `/back\slash`} {
		if ok, err := filepath.Match(literal(path), path); !ok || err != nil {
			t.Errorf("%q: %v, %v", path, ok, err)
		}
	}
}

// Servers beyond the room for excluded memory are told of, and those before keep theirs.
func TestNumbersOfKeysDoNotOverlap(t *testing.T) {
	log := new(lines)
	c := &capture{log: slog.New(log.handler())}
	c.secrets("first", 20_001)
	c.secrets("second", 40_001)
	if len(log.with(t, "cores may hold keys of sessions")) != 0 || c.numbers != 60_002 {
		t.Errorf("numbers given out: %d, and\n%s", c.numbers, log)
	}
	c.secrets("third", 20_001)
	if told := log.with(t, "cores may hold keys of sessions"); len(told) != 1 || told[0]["server"] != "third" || told[0]["type"] != "crash" {
		t.Errorf("got %v, want the third alone", told)
	}
}

func TestEventsWaitForTheLog(t *testing.T) {
	c := &capture{}
	for i := range maxCrashEvents + 3 {
		c.notify(crash.Event{Message: fmt.Sprint("event ", i), Attrs: []any{"n", i}})
	}
	log := new(lines)
	c.speak(slog.New(log.handler()))
	if first := log.with(t, "event 0"); len(first) != 1 || first[0]["type"] != "crash" || first[0]["n"] != 0.0 {
		t.Errorf("got %v, want the first event", first)
	}
	if over := log.with(t, "events of the crash capture not logged"); len(over) != 1 || over[0]["events"] != 3.0 {
		t.Errorf("got %v, want 3 that were not logged", over)
	}
}

func TestChaosAnswersOnlyWhenItIsOn(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	if code, _ := r.post("/chaos/panic?server=echo&seam=recv", true); code != http.StatusNotFound && code != http.StatusMethodNotAllowed {
		t.Errorf("while off: %d, want 404", code)
	}
	on := launchStack(t, Config{OpsAddr: "127.0.0.1:0", Log: new(lines).handler(), Chaos: true}, engine.Config{Workers: 1})
	var asked []string
	on.stack.AddChaos("echo", func(seam string) error {
		asked = append(asked, seam)
		if seam != "recv" {
			return fmt.Errorf("no seam %q", seam)
		}
		return nil
	})
	for _, test := range []struct {
		query  string
		header bool
		want   int
	}{
		{"server=echo&seam=recv", true, http.StatusAccepted},
		{"server=echo&seam=recv", false, http.StatusForbidden},
		{"server=other&seam=recv", true, http.StatusNotFound},
		{"server=echo&seam=nose", true, http.StatusBadRequest},
	} {
		if code, body := on.post("/chaos/panic?"+test.query, test.header); code != test.want {
			t.Errorf("%s: %d %s, want %d", test.query, code, body, test.want)
		}
	}
	if code, _ := on.get("/chaos/panic?server=echo&seam=recv"); code != http.StatusMethodNotAllowed {
		t.Errorf("get: %d, want 405", code)
	}
	if strings.Join(asked, " ") != "recv nose" {
		t.Errorf("asked for %v", asked)
	}
}

// post sends a request without a body.
func (r *rig) post(path string, header bool) (code int, body string) {
	r.t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+r.stack.OpsAddr()+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if header {
		request.Header.Set(ChaosHeader, "yes")
	}
	return r.do(request)
}

// perishVariable makes the test binary a program around Run whose end is its value; its directories follow after colons.
const perishVariable = "VITRINE_OBSERVE_PERISH"

// perish is that program.
func perish() {
	end, dirs, _ := strings.Cut(os.Getenv(perishVariable), ":")
	dir, run, _ := strings.Cut(dirs, ":")
	cfg := Config{CrashDir: dir, Crash: crash.Config{RunDir: run, NoCores: true}}
	err := Run(context.Background(), cfg, func(ctx context.Context, st *Stack) error {
		for st.Status().Crash.Monitors < 2 || st.Status().Crash.Ptrace == "" {
			runtime.Gosched()
		}
		switch end {
		case "panic":
			panic("main is broken")
		case "exit":
			os.Exit(7)
		case "signals":
			insist()
		case "signal":
			signalSelf()
			<-ctx.Done()
		case "fails":
			return context.DeadlineExceeded
		}
		return nil
	})
	if err != nil {
		os.Exit(1)
	}
}

// A death leaves a bundle; an end that was ordered leaves none, however sudden it is.
func TestOnlyCrashesLeaveABundle(t *testing.T) {
	for _, test := range []struct {
		end    string
		status int
		class  bundle.Class // "" = no bundle
	}{
		{"returns", 0, ""},
		{"fails", 1, ""},
		{"signal", 0, ""},
		{"signals", 143, ""},
		{"panic", 2, bundle.ClassGoroutine},
		{"exit", 7, bundle.ClassExit},
	} {
		t.Run(test.end, func(t *testing.T) {
			cfg, run := captured(t)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), perishVariable+"="+test.end+":"+cfg.CrashDir+":"+run)
			out, _ := cmd.CombinedOutput() // the status says it
			if got := cmd.ProcessState.ExitCode(); got != test.status {
				t.Errorf("status: got %d, want %d\n%s", got, test.status, out)
			}
			poll(t, "the monitors have ended", func() bool { return empty(run) })
			var got bundle.Class
			metas := bundles(t, cfg.CrashDir)
			if len(metas) > 0 {
				got = metas[0].Class
			}
			if got != test.class || len(metas) > 1 {
				t.Errorf("%d bundles, class %q, want %q\n%s", len(metas), got, test.class, out)
			}
		})
	}
}
