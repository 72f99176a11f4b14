package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/sentry/sentrytest"
)

// three writes bundles of three classes, the newest last, and returns their ids.
func (f *crashFixture) three() []string {
	f.t.Helper()
	var ids []string
	for i, class := range []bundle.Class{bundle.ClassGoroutine, bundle.ClassHang, bundle.ClassOOMKilled} {
		m := panicMeta()
		m.Class, m.Time, m.Fingerprint = class, m.Time.Add(time.Duration(i)*time.Hour), fmt.Sprintf("%08x00000000", 0xabc0+i)
		m.Reason = fmt.Sprintf("the reason %d\nin two lines", i)
		ids = append(ids, f.bundle(m, nil))
	}
	return ids
}

func TestListPrintsNewestFirst(t *testing.T) {
	f := newCrashFixture(t)
	f.three()
	f.full()
	entries, err := f.store.List()
	f.must(err)
	var rows []listed
	for _, e := range entries {
		rows = append(rows, newListed(e))
	}
	var b strings.Builder
	f.must(printList(&b, rows, briefIDs(entries), crashedAt.Add(5*time.Hour)))
	golden(t, "crash_list.golden", b.String())
}

func TestListFilters(t *testing.T) {
	f := newCrashFixture(t)
	ids := f.three()
	for _, test := range []struct {
		args []string
		want []int
	}{
		{nil, []int{2, 1, 0}},
		{[]string{"--class", "hang"}, []int{1}},
		{[]string{"--class", "hang,goroutine"}, []int{1, 0}},
		{[]string{"--fingerprint", "0000abc2"}, []int{2}},
		{[]string{"--fingerprint", "0000abc2ffff"}, []int{2}}, // the list knows eight digits
		{[]string{"--fingerprint", "0000"}, []int{2, 1, 0}},
		{[]string{"--since", "2026-11-22T18:44:43Z"}, []int{2, 1}},
		{[]string{"--class", "fatal"}, nil},
	} {
		got := f.run(append([]string{"list", "--json"}, test.args...)...)
		var found []string
		for line := range strings.Lines(got.out) {
			var l listed
			f.must(json.Unmarshal([]byte(line), &l))
			found = append(found, l.ID)
		}
		var want []string
		for _, i := range test.want {
			want = append(want, ids[i])
		}
		if got.status != statusOK || fmt.Sprint(found) != fmt.Sprint(want) {
			t.Errorf("%v: status %d, %v; want %v", test.args, got.status, found, want)
		}
	}
	for _, args := range [][]string{{"list", "--class", "nonsense"}, {"list", "--since", "soon"}, {"list", "--fingerprint", "xyz"}} {
		if got := f.run(args...); got.status != statusUsage {
			t.Errorf("%v: status %d, want %d", args, got.status, statusUsage)
		}
	}
}

func TestListShowsABundleThatCannotBeRead(t *testing.T) {
	f := newCrashFixture(t)
	id := f.three()[1]
	f.must(os.WriteFile(filepath.Join(f.dir, id, "meta.json"), []byte("{"), 0o600))
	if got := f.run(); got.status != statusOK || !strings.Contains(got.out, "cannot be read") || strings.Count(got.out, "the reason") != 2 {
		t.Errorf("status %d:\n%s", got.status, got.out)
	}
	if got := f.run("show", id); got.status != statusFailed || !strings.Contains(got.err, "corrupt") {
		t.Errorf("show: status %d: %s", got.status, got.err)
	}
}

// A reader makes no directory, and the bundles of a disk that became read-only can be read.
func TestReadingWritesNothing(t *testing.T) {
	inTempDir(t)
	if got := run("crash"); got.status != statusOK || got.out != "" {
		t.Errorf("list without a directory: %+v", got)
	}
	for _, args := range [][]string{{"crash", "show"}, {"crash", "--dir", "x", "list"}, {"crash", "diff", "a", "b"}, {"crash", "open"}, {"crash", "send"}, {"crash", "prune"}} {
		if got := run(args...); got.status != statusFailed || !strings.Contains(got.err, "there is none") {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestDiffTellsWhatDiffersAlone(t *testing.T) {
	f := newCrashFixture(t)
	m := panicMeta()
	a := f.bundle(m, map[string]string{"crash.txt": panicText()})
	m.Time, m.Where.Session = m.Time.Add(time.Second), "5"
	b := f.bundle(m, map[string]string{"crash.txt": strings.Replace(panicText(), "file.go:40", "file.go:44", 1)})
	got := f.run("diff", a, b)
	want := "- " + a + "\n+ " + b + "\nsession: 4294967297 -> 5\n" +
		"frame 0\n  - vitrine/servers/demo/chat.(*Chat).hit /srv/game/servers/file.go:40\n  + vitrine/servers/demo/chat.(*Chat).hit /srv/game/servers/file.go:44\n"
	if got.status != statusOK || got.out != want {
		t.Errorf("got:\n%s%s\nwant:\n%s", got.out, got.err, want)
	}
	if got := f.run("diff", a, a); !strings.Contains(got.out, "nothing differs") {
		t.Errorf("of one with itself: %s", got.out)
	}
	if got := f.run("diff", a, b, "--json"); !strings.Contains(got.out, `"name": "session"`) {
		t.Errorf("as JSON: %s", got.out)
	}
}

func TestPruneSaysWhatWent(t *testing.T) {
	f := newCrashFixture(t)
	ids := f.three()
	config := write(t, "crash.toml", "[crash]\nkeep_bundles = 2\n")
	if got := f.run("prune", "--config", config, "--dry-run"); !strings.Contains(got.out, "1 bundles and 0 cores of others would go") {
		t.Errorf("as the configuration says: %+v", got)
	}
	dry := f.run("prune", "--bundles", "2", "--dry-run")
	if dry.status != statusOK || !strings.Contains(dry.out, "bundle  "+ids[0]) || !strings.Contains(dry.out, "1 bundles and 0 cores of others would go") {
		t.Errorf("dry run: %+v", dry)
	}
	if got := f.run("prune", "--bundles", "2", "--dry-run", "--json"); got.out != `{"bundles":["`+ids[0]+`"],"cores":[],"dry_run":true,"removed_bundles":0,"removed_cores":0,"removed_bytes":0}`+"\n" {
		t.Errorf("dry run as JSON: %+v", got)
	}
	got := f.run("prune", "--bundles", "2")
	if got.status != statusOK || !strings.Contains(got.out, "bundle  "+ids[0]) || !strings.Contains(got.out, "1 bundles and 0 cores of others went") {
		t.Errorf("prune: %+v", got)
	}
	var went pruned
	if got := f.run("prune", "--bundles", "1", "--json"); json.Unmarshal([]byte(got.out), &went) != nil || went.WentBundles != 1 || went.Bundles[0] != ids[1] || went.WentBytes == 0 {
		t.Errorf("prune as JSON: %+v", got)
	}
	if left := f.run("list", "--json"); strings.Count(left.out, "\n") != 1 {
		t.Errorf("left:\n%s", left.out)
	}
}

func TestSendFlushesTheSpool(t *testing.T) {
	f := newCrashFixture(t)
	f.full()
	sender, err := (&crashSendCommand{}).sender(f.dir)
	f.must(err)
	entry, err := f.store.Find("last")
	f.must(err)
	m, err := entry.Meta()
	f.must(err)
	f.must(sender.Put(entry.Path(), m))

	t.Setenv("VITRINE_CRASH_SENTRY_DSN", "")
	if got := f.run("send"); got.status != statusUsage || !strings.Contains(got.err, "no DSN: 1 reports wait") {
		t.Errorf("without a DSN: %+v", got)
	}
	sink := sentrytest.New()
	defer sink.Close()
	sink.Down(true)
	if got := f.run("send", "--dsn", sink.DSN()); got.status != statusFailed || !strings.Contains(got.out, "0 sent, 1 wait") {
		t.Errorf("to a server that is down: %+v", got)
	}
	sink.Down(false)
	t.Setenv("VITRINE_CRASH_SENTRY_DSN", sink.DSN())
	if got := f.run("send"); got.status != statusOK || !strings.Contains(got.out, "1 sent, 0 wait") || len(sink.Events()) != 1 {
		t.Errorf("to one that is up: %+v, %d events", got, len(sink.Events()))
	}
	if got := f.run("send", "--json"); got.status != statusOK || got.out != `{"refused":0,"sent":0,"set_aside":0,"waiting":0}`+"\n" {
		t.Errorf("as JSON: %+v", got)
	}
	if got := f.shown(oneScreen); !strings.Contains(got, "report    sent") {
		t.Errorf("show does not tell that it was sent:\n%s", got)
	}
}
