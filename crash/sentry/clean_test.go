package sentry

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/scrub"
	"vitrine/crash/traceback"
)

// canaries are secrets of every kind that must never leave. The parts that would show them are listed, since a text may
// be split or quoted on its way.
var canaries = map[string]string{
	"jwt":        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLW9mLXRoZS1jYW5hcnk",
	"mail":       "canary.person@example.org",
	"ipv4":       "203.0.113.77",
	"configured": "Kanarienvogel-42",
	"hex":        "5ec4e7c0ffee5ec4e7c0ffee5ec4e7c0ffee5ec4e7c0ffee",
}

// cage is a text with all canaries, and passwords by their keys.
func cage() string {
	all := []string{`password=canary-pass-1`, `token: canary-token-2`, `Authorization: Bearer canary-bearer-3`, "https://canary-user:canary-pass-4@host/?token=canary-query-5"}
	for _, c := range canaries {
		all = append(all, "see "+c+" there")
	}
	return strings.Join(all, ", ")
}

// leaks lists the canaries that are in a text.
func leaks(text string) (found []string) {
	for _, c := range append(parts(), "canary-pass", "canary-token", "canary-bearer", "canary-query") {
		if strings.Contains(text, c) {
			found = append(found, c)
		}
	}
	return found
}

func parts() (all []string) {
	for _, c := range canaries {
		all = append(all, c)
	}
	return append(all, "eyJzdWIiOiJjYW5hcnkifQ", "canary.person", "c0ffee5ec4")
}

func cageScrubber() *scrub.Scrubber {
	return scrub.New(scrub.Config{Secrets: []string{canaries["configured"]}, Keys: []string{"nest"}})
}

// seeded puts the cage into every text of a value, keys of maps included.
func seeded(v reflect.Value, depth int) {
	if depth > 8 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(cage())
	case reflect.Struct:
		for i := range v.NumField() {
			seeded(v.Field(i), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			seeded(v.Index(i), depth+1)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		seeded(v.Elem(), depth+1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		seeded(key, depth+1)
		seeded(value, depth+1)
		v.SetMapIndex(key, value)
		if value.Kind() == reflect.String {
			v.SetMapIndex(reflect.ValueOf("nest_key"), reflect.ValueOf("canary-pass-6"))
		}
	}
}

// Whatever field a secret stands in, of the metadata or of the dump, it is not in the event.
func TestEveryFieldOfAnEventIsScrubbed(t *testing.T) {
	m, d := &bundle.Meta{}, &traceback.Dump{}
	seeded(reflect.ValueOf(m).Elem(), 0)
	seeded(reflect.ValueOf(d).Elem(), 0)
	d.Goroutines[0].State = "running"
	raw, err := json.Marshal(Event(m, d, []string{cage(), `{"msg":"` + cage() + `","nest":"canary-pass-7"}`, "[auth] [" + cage() + " / WARN / 1] " + cage()}, cageScrubber()))
	must(t, err)
	if found := leaks(string(raw)); len(found) > 0 {
		t.Errorf("leaked: %q\n%s", found, raw)
	}
}

// The same for all bytes that are sent, with the canaries in the files of the bundle.
func TestNoSecretIsSent(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Scrub = cageScrubber() })
	text := strings.Replace(crashText, "no such player", "no such player, "+cage(), 1)
	text = strings.Replace(text, "[running]", `[running labels:{"session": "7", "token": "canary-token-8", "who": "`+canaries["mail"]+`"}]`, 1)
	text = strings.Replace(text, "0x2a)", "0x2a, {0x5ec4e7c0ffee5ec4, 0x7})", 1)
	js := fmt.Sprintf(`{"crashed":{"labels":{"password":"canary-pass-9","pass\u0077ord":["canary-pass-10"],"x":%q}},"nest":{"a":{"b":"canary-pass-11"}},"stacks":[1,%q]}`, cage(), cage())
	dir := newBundle(t, "crash.txt", text, "goroutines.json", js, "flight.json", js, "log.tail", cage()+"\n"+js+"\n",
		"config.json", `{"dsn":"canary-pass-12"}`, "env.json", `{"X":"canary-pass-13"}`, "core.zst", "canary-pass-14", "metrics.json", `"canary-pass-15"`)
	m := w.meta(0)
	m.Reason = "panic: " + cage()
	m.Process.Args = []string{"--password=canary-pass-16", cage()}
	m.Problems = []string{cage()}
	must(t, w.Put(dir, m))
	w.send()
	w.arrived(1)
	for _, c := range append(parts(), "canary-pass", "canary-token", "canary-bearer", "canary-query", "c0ffee") {
		if w.sink.Has(c) {
			t.Errorf("%q was sent", c)
		}
	}
	e := w.sink.Events()[0]
	for _, name := range []string{"meta.json", "crash.txt", "goroutines.json", "flight.json"} {
		if len(e.Attachment(name)) == 0 || !strings.Contains(string(e.Attachment(name)), "scrubbed") {
			t.Errorf("%s: %s", name, e.Attachment(name))
		}
	}
	if len(e.Attachments) != 4 || !w.sink.Has("no such player") || !w.sink.Has("world.go:41") {
		t.Errorf("%d attachments; the panic's text or its place are missing", len(e.Attachments))
	}
}

// Neither the key of the DSN nor an address is in the spool.
func TestSpoolHoldsNoDSN(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 1)
	w.sink.Down(true)
	_, err := w.Send(t.Context())
	files, _ := filepath.Glob(w.path("*"))
	for _, name := range files {
		b, _ := os.ReadFile(name)
		if raw, err := inflate(b); err == nil {
			b = raw
		}
		if strings.Contains(string(b), w.dsn.GetPublicKey()) {
			t.Errorf("%s holds the key", name)
		}
	}
	if err == nil || strings.Contains(err.Error(), w.dsn.GetPublicKey()) {
		t.Errorf("the error holds the key: %v", err)
	}
}

// Ordinary names come through as they are: a report of masks would tell nothing.
func TestOrdinaryNamesAreKept(t *testing.T) {
	d := traceback.Parse([]byte(crashText + `
goroutine 20 [running]:
vitrine/servers/mmoserver.(*Server[go.shape.*uint8]).runAuthenticationLoop(0xc000012345)
	/home/build/go/pkg/mod/example.com/vitrine@v1.2.3/servers/mmoserver/authenticationloop.go:41 +0x1d
internal/runtime/maps.(*Map).putSlotSmallFastStr(0xc000012345)
	/usr/local/go/src/internal/runtime/maps/runtime_faststr_swiss.go:263 +0x1d
github.com/getsentry/sentry-go/internal/ratelimit.FromResponse()
	/root/go/pkg/mod/github.com/getsentry/sentry-go@v0.50.0/internal/ratelimit/rate_limits.go:30 +0x1d
`))
	m := (&world{clock: newClock()}).meta(3)
	m.Core.File = "core.zst"
	m.Trace, m.Core.SHA256, m.Build.Revision = strings.Repeat("a1", 16), strings.Repeat("cd", 32), strings.Repeat("ef", 20)
	x := newCleaner(cageScrubber())
	raw, err := json.Marshal(Event(m, d, nil, cageScrubber()))
	must(t, err)
	meta, err := x.meta(m)
	must(t, err)
	dump, err := x.json(traceback.AppendJSON(nil, d))
	must(t, err)
	for name, text := range map[string]string{"event": string(raw), "meta.json": string(meta.payload), "goroutines.json": string(dump)} {
		if strings.Contains(text, "[scrubbed]") {
			t.Errorf("%s lost something: %s", name, text)
		}
	}
	if want := `"path":"` + m.ID + `/core.zst"`; !strings.Contains(string(raw), want) {
		t.Errorf("the event lost %s", want)
	}
	if path := "/opt/gameserver/vitrine/var/crash/" + m.ID + "/core.zst"; x.text(path, maxNameBytes) != path {
		t.Errorf("%s became %s", path, x.text(path, maxNameBytes))
	}
	for _, want := range []string{m.ID, m.Trace, m.Core.SHA256, m.Build.Revision, m.Fingerprint} {
		if !strings.Contains(string(meta.payload), want) {
			t.Errorf("meta.json lost %s", want)
		}
	}
}

func TestCleanedJSONKeepsItsShape(t *testing.T) {
	x := newCleaner(cageScrubber())
	for _, c := range []struct{ in, want string }{
		{`{"a" : [1, 2.50, -3e7, true, null, "x"], "b": {}}`, `{"a":[1,2.50,-3e7,true,null,"x"],"b":{}}`},
		{`{"nest":1,"b":2}`, `{"nest":"[scrubbed]","b":2}`},
		{`{"nest":{"a":[1,{"b":"}"}]},"b":2}`, `{"nest":"[scrubbed]","b":2}`},
		{`{"nest":["a","b"],"nest":"c","nest":null}`, `{"nest":"[scrubbed]","nest":"[scrubbed]","nest":"[scrubbed]"}`},
		{`{"my_\u006eest":"c"}`, `{"my_nest":"[scrubbed]"}`},
		{`["nest","b"]`, `["nest","b"]`},
		{`{"a":"q\"uote\\","b":"ü\ud800"}`, `{"a":"q\"uote\\","b":"ü` + "\uFFFD" + `"}`},
		{`"x"`, `"x"`}, {`[]`, `[]`}, {`7`, `7`},
		{`{"trace":"` + strings.Repeat("a1", 16) + `","x":[]}`, `{"trace":"` + strings.Repeat("a1", 16) + `","x":[]}`},
	} {
		got, err := x.json([]byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s\n got %s, %v\nwant %s", c.in, got, err, c.want)
		}
	}
	for _, bad := range []string{"", "{", `{"a"}`, "nope", `"a`, `{"a":1}}`} {
		if got, err := x.json([]byte(bad)); err == nil {
			t.Errorf("%q: %s", bad, got)
		}
	}
}

func FuzzCleanJSON(f *testing.F) {
	for _, text := range []string{`{"a":[1,"x"],"nest":{"b":"c"}}`, `"a\u0000\"`, `[[["nest"],{"nest":[]}]]`, `{"\\":"\\"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := newCleaner(cageScrubber()).json(in)
		if json.Valid(in) != (err == nil) || err == nil && !json.Valid(out) {
			t.Errorf("%q: %q, %v", in, out, err)
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	id := strings.Repeat("ab", 16)
	e := &envelope{id, []item{{Type: "event", payload: []byte(`{}`)}, {Type: "attachment", Filename: "a", payload: []byte("\n\n")}}}
	good, err := e.bytes()
	must(f, err)
	raw, err := inflate(good)
	must(f, err)
	f.Add(raw)
	f.Add([]byte(`{"event_id":"` + id + "\"}\n{\"type\":\"event\",\"length\":-1}\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := parseRaw(id, raw)
		if err != nil {
			return
		}
		packed, err := e.bytes()
		must(t, err)
		again, err := parseEnvelope(id, packed)
		if err != nil || len(again.items) != len(e.items) {
			t.Errorf("%q does not come back: %v", raw, err)
		}
	})
}

// What is read of a large text is its head and its tail, in whole lines; what a panic said is short.
func TestLongTextsAreCut(t *testing.T) {
	long := strings.Replace(crashText, "no such player", "no such player\n"+strings.Repeat("many words said\n", 1000), 1)
	long += strings.Repeat("\ngoroutine 10 [select]:\nmain.f()\n\t/src/main.go:1 +0x1\n", 40_000) + "the end\n"
	dir := newBundle(t, "crash.txt", long)
	start := time.Now()
	it, err := newCleaner(nil).crashText(filepath.Join(dir, "crash.txt"))
	must(t, err)
	text := string(it.payload)
	if len(text) > MaxTextBytes || len(text) < MaxTextBytes*9/10 {
		t.Errorf("%d bytes", len(text))
	}
	if strings.Count(text, "many words") > 70 || !strings.Contains(text, "[...]") {
		t.Errorf("what the panic said %d times", strings.Count(text, "many words"))
	}
	for _, want := range []string{"panic: no such player", "world.go:41", strings.TrimSpace(cutMark), "the end"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	t.Logf("%d bytes cleaned in %v", len(long), time.Since(start))
}

// A line longer than what is read of a file is left out: its secrets would be cut in two.
func TestCutLinesAreLeftOut(t *testing.T) {
	dir := newBundle(t, "crash.txt", "a\n"+strings.Repeat("b", 100)+"\nc\n")
	for _, c := range []struct {
		head, tail int
		want       string
	}{
		{200, 0, "a\n" + strings.Repeat("b", 100) + "\nc\n"}, {50, 50, "a\n" + cutMark + "c\n"},
		{1, 1, cutMark}, {0, 50, "c\n"}, {50, 0, "a\n"}, {0, 1, ""},
	} {
		got, err := ends(filepath.Join(dir, "crash.txt"), c.head, c.tail)
		if err != nil || string(got) != c.want {
			t.Errorf("%d and %d bytes: %q, %v", c.head, c.tail, got, err)
		}
	}
}

func TestAttachmentsKeepTheirBudget(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Budget = 20_000 })
	must(t, w.Put(newBundle(t, "flight.json", noise(64<<10), "goroutines.json", "{", "log.tail", "a\nb"), w.meta(0)))
	big := newBundle(t)
	must(t, os.Truncate(filepath.Join(big, "crash.txt"), 0))
	f, err := os.Create(filepath.Join(big, "flight.json"))
	must(t, err)
	must(t, f.Truncate(MaxJSONBytes+1))
	must(t, f.Close())
	must(t, w.Put(big, w.meta(1)))
	w.send()
	w.arrived(2)
	for i, want := range []string{"goroutines.json flight.json", "flight.json"} {
		e := w.sink.Events()[i]
		left := fmt.Sprint(e.Fields["contexts"].(map[string]any)["crash"].(map[string]any)["left_out"])
		for _, name := range strings.Fields(want) {
			if !strings.Contains(left, name) || e.Attachment(name) != nil {
				t.Errorf("event %d: %s is not named in %s", i, name, left)
			}
		}
		if len(e.Attachment("meta.json")) == 0 {
			t.Errorf("event %d has no meta.json", i)
		}
	}
}

// A bundle without files, as of a SIGKILL, is an event too.
func TestEmptyBundleIsReported(t *testing.T) {
	w := newWorld(t, nil)
	m := w.meta(0)
	m.Class, m.Reason, m.Time = bundle.ClassKilled, "killed by SIGKILL", time.Time{}
	must(t, w.Put(t.TempDir(), m))
	w.send()
	w.arrived(1)
}
