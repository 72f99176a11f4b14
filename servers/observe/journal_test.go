package observe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"vitrine/core/engine"
	"vitrine/core/flight"
	"vitrine/core/packet"
	"vitrine/logx"
	"vitrine/logx/query"
	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// journaled describes a stack with files in a folder of the test's own, and a console that the test reads.
func journaled(t *testing.T) (cfg Config, console *lines) {
	t.Helper()
	console = new(lines)
	return Config{
		OpsAddr: "127.0.0.1:0", LogDir: filepath.Join(t.TempDir(), "log"), Journal: logx.Config{RingDir: t.TempDir()}, console: console,
	}, console
}

// found returns the records of a log that match, as text without time and index.
func found(t *testing.T, dir string, q query.Query) []string {
	t.Helper()
	var all []string
	_, err := query.Search(context.Background(), dir, q, func(r *record.Record, types *record.Types) bool {
		text := string(record.AppendText(nil, r, types))
		_, text, _ = strings.Cut(text, " / ")
		level, text, _ := strings.Cut(text, " / ")
		_, text, _ = strings.Cut(text, "] ")
		all = append(all, fmt.Sprintf("%s %s %s", types.Name(r.Type), level, strings.TrimSuffix(text, "\n")))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// having returns the lines that hold all the words.
func having(all []string, words ...string) (some []string) {
	for _, line := range all {
		holds := true
		for _, word := range words {
			holds = holds && strings.Contains(line, word)
		}
		if holds {
			some = append(some, line)
		}
	}
	return some
}

// end has the stack end and waits for it.
func (r *rig) end() {
	r.t.Helper()
	r.signals <- os.Interrupt
	if err := r.wait(); err != nil {
		r.t.Fatal(err)
	}
}

// The files hold the life of the process and of each session, in order; people see neither joins nor leaves.
func TestFilesHoldTheLifeOfProcessAndSessions(t *testing.T) {
	cfg, console := journaled(t)
	r := launchStack(t, cfg, engine.Config{Workers: 1})
	c := r.dial()
	c.echoed(7, "hello")
	id := <-r.handler.ids
	c.Close()
	eventually(t, "it has left", func() bool { return r.srv.Status().Total.Leaves == 1 })
	r.end()
	life := found(t, cfg.LogDir, query.Query{Session: uint64(id)})
	if len(life) != 2 || !strings.HasPrefix(life[0], "session DEBUG session joined server=echo worker=0 remote=127.0.0.1:") ||
		!strings.HasPrefix(life[1], "session DEBUG session left server=echo") || !strings.Contains(life[1], "reason=peer_closed packets_in=1 packets_out=1 ") {
		t.Errorf("the session's life:\n%s", strings.Join(life, "\n"))
	}
	all := found(t, cfg.LogDir, query.Query{})
	system := having(all, " SYSTEM ")
	boot := fmt.Sprintf("boot=%016x", r.stack.Boot())
	for i, want := range [][]string{
		{"process started", fmt.Sprintf("pid=%d ", os.Getpid()), boot, "go=" + runtime.Version(), "gomaxprocs="},
		{"server started server=echo addr=" + r.srv.Addr()},
		{"server stopped server=echo", "sessions_closed=1"},
		{"process stopped how=signal uptime_ms="},
	} {
		if i >= len(system) || len(having(system[i:i+1], want...)) != 1 {
			t.Fatalf("line %d is not of %q:\n%s", i, want, strings.Join(system, "\n"))
		}
	}
	if all[0] != system[0] || all[len(all)-1] != system[3] || len(system) != 4 {
		t.Errorf("want its start first and its stop last:\n%s", strings.Join(all, "\n"))
	}
	if said := console.String(); strings.Contains(said, "[session]") || !strings.Contains(said, "/ SYSTEM] process stopped how=signal") {
		t.Errorf("the console says\n%s", said)
	}
	if report, err := query.Verify(t.Context(), cfg.LogDir, nil); err != nil || !report.Clean() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

// Every end is in the files, however many there are; people see ten and how many more.
func TestFilesHoldEveryEndAndTheConsoleSome(t *testing.T) {
	const sessions = 3 * linesPerSecond
	cfg, console := journaled(t)
	r := launchStack(t, cfg, engine.Config{Workers: 1})
	for range sessions {
		r.dial().echoed(7, "hello")
	}
	for range sessions {
		r.srv.Disconnect(<-r.handler.ids)
	}
	eventually(t, "all have left", func() bool { return r.srv.Status().Total.Leaves == sessions })
	r.end()
	ended := having(found(t, cfg.LogDir, query.Query{Types: []string{"session"}, MinLevel: record.Info}), "session INFO session ended", "reason=kicked")
	if len(ended) != sessions {
		t.Errorf("%d ends in the files, want %d", len(ended), sessions)
	}
	shown := strings.Count(console.String(), "session ended server=")
	if shown < linesPerSecond || shown >= sessions {
		t.Errorf("%d ends on the console, want %d a second", shown, linesPerSecond)
	}
	if want := fmt.Sprintf("session ended held_back=%d", sessions-linesPerSecond); shown == linesPerSecond && !strings.Contains(console.String(), want) {
		t.Errorf("the console does not say %q:\n%s", want, console)
	}
}

// What applications log with a session's context is found by the session and by the packet's trace.
func TestContextNamesSessionAndPacket(t *testing.T) {
	recorded(t)
	cfg, _ := journaled(t)
	r := launchStack(t, cfg, engine.Config{Workers: 1})
	refs := make(chan flight.Ref, 2)
	note := func(s *engine.Session, in *packet.Reader) {
		slog.InfoContext(r.stack.Context(context.Background(), s, in), "room opened", "type", "game", "room", 7)
		slog.InfoContext(r.stack.Context(context.Background(), s, nil), "no packet", "type", "game")
		refs <- in.Trace()
	}
	r.handler.notes <- note
	r.handler.notes <- note
	c := r.dial()
	c.echoed(700, "a")
	c.echoed(700, "b")
	id := <-r.handler.ids
	first, second := <-refs, <-refs
	r.end()
	if first == second || first.Seq() == 0 {
		t.Fatalf("records %v and %v", first, second)
	}
	for _, ref := range []flight.Ref{first, second} {
		trace, span := traceOf(r.stack.Boot(), ref)
		want := fmt.Sprintf("game INFO room opened room=7 session=%d trace=%016x%016x span=%016x", uint64(id), r.stack.Boot(), uint64(ref), uint64(ref))
		if binary.BigEndian.Uint64(span[:]) != uint64(ref) {
			t.Errorf("span %x, want that of %x", span, uint64(ref))
		}
		if got := found(t, cfg.LogDir, query.Query{Trace: trace}); len(got) != 1 || got[0] != want {
			t.Errorf("by trace: got %q, want %q", got, want)
		}
	}
	if got := having(found(t, cfg.LogDir, query.Query{Session: uint64(id), Types: []string{"game"}}), "no packet"); len(got) != 2 || strings.Contains(got[0], "trace=") {
		t.Errorf("without a packet: got %q", got)
	}
}

func TestTraceOfNoRecordIsZero(t *testing.T) {
	if trace, span := traceOf(7, flight.Ref(3<<48)); trace != [16]byte{} || span != [8]byte{} {
		t.Errorf("got %x %x", trace, span)
	}
}

// Two processes never write into one directory: the second is told who has it.
func TestDirectoryInUseIsAnError(t *testing.T) {
	cfg, _ := journaled(t)
	launchStack(t, cfg, engine.Config{Workers: 1})
	cfg.OpsAddr = ""
	err := Run(t.Context(), cfg, func(context.Context, *Stack) error { t.Error("main ran"); return nil })
	if !errors.Is(err, segment.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) ||
		!strings.Contains(err.Error(), cfg.LogDir) || !strings.Contains(err.Error(), "another log directory") {
		t.Errorf("got %v, want who has it and what to do", err)
	}
}

// A game does not stay down for its log, and shows everywhere that it has none.
func TestServersRunWithoutFiles(t *testing.T) {
	cfg, console := journaled(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.LogDir = filepath.Join(file, "log") // below a file: no privilege makes a directory of it
	r := launchStack(t, cfg, engine.Config{Workers: 1})
	r.dial().echoed(7, "hello")
	if said := console.String(); !strings.Contains(said, "/ ERROR] log file not opened, going on without it dir="+cfg.LogDir) {
		t.Errorf("the console does not say so:\n%s", said)
	}
	var status Status
	r.getJSON("/status", &status)
	if got := status.Log; !got.Failing || got.Error == "" || got.Dir != cfg.LogDir || got.Next != 0 {
		t.Errorf("/status: got %+v, want failing and why", got)
	}
	if got := sum(r.scrape()["vitrine_log_failing"]); got != 1 {
		t.Errorf("vitrine_log_failing: got %v, want 1", got)
	}
	if r.stack.Journal() != nil {
		t.Error("there is a journal")
	}
}

// The last line is there however main ends, and says how.
func TestLastLineSaysHowItEnded(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		main func(context.Context, *Stack) error
		want string
	}{
		{"done", t.Context(), func(context.Context, *Stack) error { return nil }, "process stopped how=done uptime_ms="},
		{"failed", t.Context(), func(context.Context, *Stack) error { return errors.New("no database") }, `error="no database"`},
		{"cancelled", cancelled, func(ctx context.Context, _ *Stack) error { return ctx.Err() }, "process stopped how=cancelled"},
		{"panic", t.Context(), func(context.Context, *Stack) error { panic("at once") }, "process stopped how=panic"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, _ := journaled(t)
			cfg.OpsAddr = ""
			func() {
				defer func() { recover() }()
				Run(test.ctx, cfg, test.main)
			}()
			all := found(t, cfg.LogDir, query.Query{})
			if last := all[len(all)-1]; !strings.Contains(last, "process stopped how="+test.name) || !strings.Contains(last, test.want) {
				t.Errorf("got %q, want %q", last, test.want)
			}
		})
	}
}

// While a stack runs, what anybody logs is in its files; afterwards all is as before.
func TestDefaultLoggersAreTheStacks(t *testing.T) {
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	cfg, _ := journaled(t)
	cfg.OpsAddr = ""
	err := Run(t.Context(), cfg, func(context.Context, *Stack) error {
		slog.Warn("by slog", "type", "db", "password", "hunter2")
		log.Print("by log")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if slog.Default() != before || log.Writer() != out || log.Flags() != flags {
		t.Error("the default loggers are not what they were")
	}
	all := found(t, cfg.LogDir, query.Query{})
	for _, want := range []string{"db WARN by slog password=***", "system INFO by log"} {
		if len(having(all, want)) != 1 {
			t.Errorf("no line %q:\n%s", want, strings.Join(all, "\n"))
		}
	}
}

// Keys that the configuration names are secrets beside those that always are, for files and console alike.
func TestMaskKeysAddToTheDefault(t *testing.T) {
	cfg, console := journaled(t)
	cfg.OpsAddr, cfg.MaskKeys = "", []string{"pin", "*_iban"}
	err := Run(t.Context(), cfg, func(context.Context, *Stack) error {
		slog.Warn("paid", "type", "db", "pin", "1234", "his_iban", "DE02", "password", "hunter2", "spin", 7)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "WARN paid pin=*** his_iban=*** password=*** spin=7"
	if all := found(t, cfg.LogDir, query.Query{}); len(having(all, want)) != 1 {
		t.Errorf("the files do not hold %q:\n%s", want, strings.Join(all, "\n"))
	}
	if want := strings.Replace(want, " ", "] ", 1); !strings.Contains(console.String(), want) {
		t.Errorf("the console does not say %q:\n%s", want, console)
	}
	for _, key := range []string{"", "*", "-_"} {
		if err := (Config{MaskKeys: []string{key}}).Validate(); err == nil {
			t.Errorf("key %q is taken", key)
		}
	}
}

// Levels change while it runs, of the files and of the console each.
func TestLevelsChangeWhileItRuns(t *testing.T) {
	cfg, console := journaled(t)
	cfg.OpsAddr = ""
	level := new(slog.LevelVar)
	cfg.LogLevel = level
	err := Run(t.Context(), cfg, func(_ context.Context, st *Stack) error {
		slog.Debug("hidden")
		st.Journal().SetLevel(record.Debug)
		slog.Debug("in the files")
		st.Journal().SetLevel(record.Error)
		level.Set(slog.LevelDebug)
		slog.Debug("on the console")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all, said := found(t, cfg.LogDir, query.Query{}), console.String()
	for _, c := range []struct {
		message         string
		file, onConsole bool
	}{{"hidden", false, false}, {"in the files", true, false}, {"on the console", false, true}} {
		if got := len(having(all, c.message)) == 1; got != c.file {
			t.Errorf("%q in the files: %v, want %v", c.message, got, c.file)
		}
		if got := strings.Contains(said, c.message); got != c.onConsole {
			t.Errorf("%q on the console: %v, want %v", c.message, got, c.onConsole)
		}
	}
}

// /status and /metrics show the same figures of the log.
func TestLogFiguresAreShown(t *testing.T) {
	cfg, _ := journaled(t)
	cfg.Journal.RingRecords = 1 << 10
	r := launchStack(t, cfg, engine.Config{Workers: 1})
	if err := r.stack.Journal().Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	families := r.scrape()
	var status struct {
		Log map[string]any `json:"log"`
	}
	if code := r.getJSON("/status", &status); code != http.StatusOK {
		t.Fatal(code)
	}
	const lines = 3.0 // process started, ops http listens, server started
	for key, want := range map[string]any{
		"dir": cfg.LogDir, "first_index": "1", "next_index": "4", "written": "3", "records": lines, "waits": 0.0, "ring": 0.0,
		"ring_capacity": 1024.0, "errors": 0.0, "failing": false, "held_back": 0.0,
	} {
		if got := status.Log[key]; got != want {
			t.Errorf("log.%s: got %v, want %v", key, got, want)
		}
	}
	for name, want := range map[string]float64{
		"log_records_total": lines, "log_waits_total": 0, "log_errors_total": 0, "log_ring_records": 0, "log_ring_capacity": 1024, "log_failing": 0,
	} {
		if got := sum(families[metricPrefix+name]); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := len(families["vitrine_log_dropped_total"].GetMetric()); got != int(record.System) {
		t.Errorf("log_dropped_total: %d metrics, want one for each level", got)
	}
}
