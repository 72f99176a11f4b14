package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitrine/logx"
	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// logEpoch is the time of the first record of a test's log.
var logEpoch = time.Date(2026, 11, 22, 22, 44, 10, 0, time.UTC)

// writeLog makes a log of n records, one a second: each third of session 3, each fifth a WARN, each seventh an ERROR.
func writeLog(t testing.TB, dir string, n int) {
	t.Helper()
	types, err := record.NewTypes("trade")
	if err != nil {
		t.Fatal(err)
	}
	lock, err := segment.Lock(segment.OS(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	w, _, err := segment.OpenWriter(segment.Config{Dir: dir, Types: types}, lock)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		i := w.Next()
		h := record.Head{Index: i, Time: logEpoch.Add(time.Duration(i) * time.Second).UnixNano(), Level: record.Info, Type: record.TypeChat}
		switch {
		case i%7 == 0:
			h.Level, h.Type = record.Error, record.FirstCustom
		case i%5 == 0:
			h.Level = record.Warn
		}
		if i%3 == 0 {
			h.Session = 3
		}
		w.Add(&h, record.AppendPayload(nil, nil, nil, fmt.Sprintf("event %d", i), []record.Field{record.Uint("n", i)}))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLogsPrintsWhatMatches(t *testing.T) {
	inTempDir(t)
	writeLog(t, "var/log", 100)
	for _, test := range []struct {
		args  string
		count int
		first string
	}{
		{"", 100, "[chat] [2026-11-22T22:44:11.000000Z / INFO / 1] event 1 n=1\n"},
		{"search", 100, "[chat] [2026-11-22T22:44:11.000000Z / INFO / 1] event 1 n=1\n"},
		{"--index 6", 1, "[chat] [2026-11-22T22:44:16.000000Z / INFO / 6] event 6 n=6 session=3\n"},
		{"--index 5..9", 5, "[chat] [2026-11-22T22:44:15.000000Z / WARN / 5] event 5 n=5\n"},
		{"--index 99..", 2, ""},
		{"--index ..9", 9, ""},
		{"--session 3", 33, ""},
		{"--session 4", 0, ""},
		{"--level ERROR", 14, "[trade] [2026-11-22T22:44:17.000000Z / ERROR / 7] event 7 n=7\n"},
		{"--level warn --session 3", 10, ""},
		{"--type trade", 14, ""},
		{"--type trade --type chat", 100, ""},
		{"--type trade,chat", 100, ""},
		{"--since 2026-11-22T22:45:00Z --until 2026-11-22T22:45:10Z", 10, ""},
		{"--grep n=4.$", 10, ""},
		{"--limit 4", 4, ""},
		{"--tail 4 --type trade", 4, "[trade] [2026-11-22T22:45:27.000000Z / ERROR / 77] event 77 n=77\n"},
		{"--trace 000000000000000000000000000000ff", 0, ""},
	} {
		args := append([]string{"logs"}, strings.Fields(test.args)...)
		got := run(args...)
		if n := strings.Count(got.out, "\n"); got.status != statusOK || n != test.count || !strings.HasPrefix(got.out, test.first) {
			t.Errorf("%s: status %d, %d lines\n%s%s\nwant %d lines, first %s", test.args, got.status, n, got.out, got.err, test.count, test.first)
		}
		if got.err != "" {
			t.Errorf("%s: standard error says %q where it is no terminal", test.args, got.err)
		}
		if strings.Contains(test.args, "--limit") || strings.Contains(test.args, "--tail") {
			continue
		}
		if got := run(append(args, "--count")...); got.status != statusOK || got.out != fmt.Sprintln(test.count) {
			t.Errorf("%s --count: status %d and %q, want %d", test.args, got.status, got.out, test.count)
		}
	}
}

func TestLogsPrintsJSON(t *testing.T) {
	dir := t.TempDir()
	writeLog(t, dir, 10)
	got := run("logs", "--dir", dir, "--index", "6..7", "--json")
	const want = `{"index":"6","time":"2026-11-22T22:44:16Z","level":"INFO","type":"chat","session":"3","msg":"event 6","fields":{"n":6}}
{"index":"7","time":"2026-11-22T22:44:17Z","level":"ERROR","type":"trade","msg":"event 7","fields":{"n":7}}
`
	if got.status != statusOK || got.out != want {
		t.Errorf("status %d and\n%s%s\nwant\n%s", got.status, got.out, got.err, want)
	}
}

func TestLogsSaysWhatIsWrong(t *testing.T) {
	empty, full := t.TempDir(), t.TempDir()
	writeLog(t, full, 3)
	for _, test := range []struct {
		name, dir string
		args      []string
		status    int
		want      string
	}{
		{"no directory", filepath.Join(empty, "nowhere"), nil, statusFailed, "no such file or directory"},
		{"no log", empty, nil, statusFailed, "no log in it"},
		{"no log to verify", empty, []string{"verify"}, statusFailed, "no log in it"},
		{"no log to follow", empty, []string{"--follow"}, statusFailed, "no log in it"},
		{"unknown type", full, []string{"--type", "trades"}, statusUsage, `unknown type "trades": want auth, chat`},
	} {
		got := run(append([]string{"logs", "--dir", test.dir}, test.args...)...)
		if got.status != test.status || !strings.Contains(got.err, test.want) {
			t.Errorf("%s: status %d and %q, want %d and %q", test.name, got.status, got.err, test.status, test.want)
		}
	}
}

// What can be read is printed, and the rest is told of.
func TestLogsTellsOfDamage(t *testing.T) {
	dir := t.TempDir()
	writeLog(t, dir, 100)
	path := filepath.Join(dir, fmt.Sprintf("%020d.log", 1))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("event 9"))
	data[at] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args, say string
		lines     int
	}{
		{"", "cannot be read", 8},
		{"--count", "cannot be read", 1},
		{"--level error", "cannot be read", 1},
		{"--follow", "cannot be read", 8},
		{"verify", "", 4},
	} {
		got := run(append([]string{"logs", "--dir", dir}, strings.Fields(test.args)...)...)
		if n := strings.Count(got.out, "\n"); got.status != statusFailed || n != test.lines || !strings.Contains(got.err, test.say) {
			t.Errorf("%s: status %d and %d lines, want 1 and %d\n%s%s", test.args, got.status, n, test.lines, got.out, got.err)
		}
	}
	if got := run("logs", "--dir", dir, "--index", "..8"); got.status != statusOK {
		t.Errorf("what is before the damage: status %d and %s", got.status, got.err)
	}
	writeLog(t, dir, 1) // its recovery takes out what is damaged
	if got := run("logs", "--dir", dir, "--count"); got.status != statusOK || !strings.Contains(got.err, ".cut, not searched") {
		t.Errorf("after a recovery: status %d and %q, want a word on what lies aside", got.status, got.err)
	}
	if got := run("logs", "--dir", dir, "verify"); got.status != statusFailed || !strings.Contains(got.out, ".cut") {
		t.Errorf("after a recovery: status %d and %s, want what lies aside", got.status, got.out)
	}
}

func TestLogsVerifyPrintsAVerdict(t *testing.T) {
	dir := t.TempDir()
	writeLog(t, dir, 100)
	got := run("logs", "verify", "--dir", dir)
	if got.status != statusOK || !strings.HasPrefix(got.out, dir+": 100 records in 1 segments, indexes 1 to 100\n0 gaps, 0 duplicates,") {
		t.Errorf("status %d and %q%s", got.status, got.out, got.err)
	}
	got = run("logs", "--dir", dir, "--json", "verify")
	var v verdict
	if err := json.Unmarshal([]byte(got.out), &v); err != nil || got.status != statusOK || !v.OK || v.Records != 100 || v.First != "1" || v.Last != "100" {
		t.Errorf("status %d, %v and %s%s", got.status, err, got.out, got.err)
	}
}

func TestLogsHelpLeadsToTheFlagsOfTheSearch(t *testing.T) {
	for args, want := range map[string]string{"logs --help": "vitrine logs search --help", "logs search --help": "--session=ID"} {
		if got := run(strings.Fields(args)...); got.status != statusOK || !strings.Contains(got.out, want) {
			t.Errorf("%s: status %d and\n%s\nwant %q", args, got.status, got.out, want)
		}
	}
}

// A reader that goes away, as head does, ends the search without a complaint.
func TestLogsEndsQuietlyWhenItsReaderGoesAway(t *testing.T) {
	dir := t.TempDir()
	writeLog(t, dir, 5000)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan said, 1)
	go func() {
		var complaints bytes.Buffer
		status := Main([]string{"logs", "--dir", dir}, w, &complaints)
		done <- said{status: status, err: complaints.String()}
	}()
	if _, err := bufio.NewReaderSize(r, 16).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if got := <-done; got.status != statusOK || got.err != "" {
		t.Errorf("status %d and %q, want silence", got.status, got.err)
	}
	w.Close()
}

func TestLogsFollowsUntilItIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	writeLog(t, dir, 100)
	r, w := io.Pipe()
	done := make(chan said, 1)
	go func() {
		var complaints bytes.Buffer
		status := Main([]string{"logs", "--dir", dir, "--follow", "--tail", "3"}, w, &complaints)
		w.Close()
		done <- said{status: status, err: complaints.String()}
	}()
	lines := bufio.NewScanner(r)
	for _, want := range []string{"event 98", "event 99", "event 100", "event 101"} {
		if !lines.Scan() || !strings.Contains(lines.Text(), want) {
			t.Fatalf("got %q, want %q", lines.Text(), want)
		}
		if want == "event 100" {
			writeLog(t, dir, 1)
		}
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Skip("no interrupt here:", err)
	}
	if got := <-done; got.status != statusOK || got.err != "" {
		t.Errorf("status %d and %q, want silence", got.status, got.err)
	}
}

// What is past does not come any more.
func TestLogsFollowsToTheEndOfItsTimes(t *testing.T) {
	dir := t.TempDir()
	writeLog(t, dir, 100)
	for _, args := range []string{
		"--until 2026-11-22T22:44:13Z", "--until 2026-11-22T22:44:13Z --tail 2", "--since 2026-11-22T22:44:11Z --until 2026-11-22T22:44:13Z",
	} {
		got := run(append([]string{"logs", "--follow", "--dir", dir}, strings.Fields(args)...)...)
		if got.status != statusOK || strings.Count(got.out, "\n") != 2 || !strings.Contains(got.out, "event 2") {
			t.Errorf("%s: %+v, want two records and the end", args, got)
		}
	}
}

// A log that is lines of text says so, whether its writer lives or not, and how it is read.
func TestLogsNamesFilesOfText(t *testing.T) {
	dir := t.TempDir()
	file, err := logx.Open(logx.Config{Dir: dir, RingDir: t.TempDir(), Format: logx.Text})
	if err != nil {
		t.Fatal(err)
	}
	file.Write(&logx.Entry{Message: "a line"})
	if err := file.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := "lines of text, as log.format says, which every tool reads: tail -F " + filepath.Join(dir, fmt.Sprintf("%020d.txt", 1))
	for _, args := range []string{"", "--follow", "--count", "verify"} {
		if got := run(append([]string{"logs", "--dir", dir}, strings.Fields(args)...)...); got.status != statusFailed || !strings.Contains(got.err, want) {
			t.Errorf("%q: %+v, want %q", args, got, want)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if got := run("logs", "--dir", dir); got.status != statusFailed || !strings.Contains(got.err, want) {
		t.Errorf("without a writer: %+v, want %q", got, want)
	}
}

// failing takes no bytes.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrNoProgress }

func TestLogsFailsWhenItCannotPrint(t *testing.T) {
	dir := t.TempDir()
	writeLog(t, dir, 10)
	for _, args := range [][]string{{"logs"}, {"logs", "--count"}, {"logs", "verify"}, {"logs", "--json", "verify"}} {
		var complaints bytes.Buffer
		status := Main(append(args, "--dir", dir), failing{}, &complaints)
		if status != statusFailed || !strings.Contains(complaints.String(), io.ErrNoProgress.Error()) {
			t.Errorf("%v: status %d and %q, want 1", args, status, complaints.String())
		}
	}
}
