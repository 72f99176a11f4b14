//go:build linux

package e2e

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"
	"vitrine/crash"
	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
	"vitrine/crash/scrub"
	"vitrine/crash/sentry"
	"vitrine/crash/sentry/sentrytest"
	"vitrine/servers/observe"
)

// speakerVariable makes the test program a server that panics with what its clients say; its value is a speaker as JSON.
const speakerVariable = "E2E_SPEAKER"

// speaker is what such a server is told.
type speaker struct {
	Dir, Run, DSN string
	Stall         time.Duration // a loop that is stuck for so long ends it; 0 = none does
	Secrets       []string      // configured to be taken out wherever they are
	Canaries      canaries      // which it logs, bears as labels and keeps in memory
}

// deadly begins a packet that ends the server, stalling is one whose callback never returns; any other costs its session.
const (
	deadly   = "die: "
	stalling = "stall"
)

// serve is the main of a speaker.
func (s *speaker) serve() error {
	key, err := hex.DecodeString(s.Canaries.HeapKey)
	if err != nil {
		return err
	}
	cfg := observe.Config{CrashDir: s.Dir, Crash: crash.Config{
		Static: map[string][]byte{"config.json": s.Canaries.config()}, RunDir: s.Run, PanicEvery: 1, Stall: s.Stall, KillStalled: s.Stall > 0, Scrub: scrub.Config{Secrets: s.Secrets}, Sentry: monitor.Sentry{DSN: s.DSN, PerHour: manyReports},
		Limits: bundle.Limits{BundleEvery: 1, CoreEvery: 1, BundlesPerHour: manyReports, LoopCrashes: 100, Bundles: manyReports},
	}}
	return observe.Run(context.Background(), cfg, func(ctx context.Context, st *observe.Stack) error {
		srv, err := engine.New(engine.Config{
			Name: "speaker", Addr: "127.0.0.1:0", Workers: 1, Codec: lan, Observer: st.Observer("speaker"), Boot: st.Boot(),
			FlightDir: st.FlightDir(""),
		}, &outspoken{secrets: s.Canaries, key: key})
		if err != nil {
			return err
		}
		if err := srv.Start(); err != nil {
			return err
		}
		st.Add(srv)
		for st.Status().Crash.Monitors < 2 {
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
				return nil
			}
		}
		fmt.Println("listening on", srv.Addr())
		<-ctx.Done()
		return nil
	})
}

// manyReports is a limit that no run meets.
const manyReports = 1000

// speak is the test program as a speaker.
func speak(order string) {
	var s speaker
	err := json.Unmarshal([]byte(order), &s)
	if err == nil {
		err = s.serve()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "speaker:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// outspoken is the handler of a speaker.
type outspoken struct {
	secrets canaries
	key     []byte
}

func (*outspoken) OnClientJoin(*engine.Session) {}

func (o *outspoken) OnRecv(s *engine.Session, in *packet.Reader) {
	text := string(in.Rest())
	if text == stalling {
		select {}
	}
	c := &o.secrets
	slog.Info("login of "+c.Mail+" from "+c.Address, "password", c.Password, "api_token", c.Token, "note", "Bearer "+c.JWT)
	if fatal, ok := strings.CutPrefix(text, deadly); ok {
		go pprof.Do(context.Background(), pprof.Labels("auth_token", c.Token, "player", c.Mail), func(context.Context) {
			collapse(o.key, errors.New(fatal)) // nobody catches it
		})
		return
	}
	collapse(o.key, text)
}

func (*outspoken) OnClientLeave(*engine.Session, engine.Reason) {}

// collapse panics; the key is among the arguments of its frame.
//
//go:noinline
func collapse(key []byte, value any) byte {
	panic(value)
}

// canaries are secrets that no report may show.
type canaries struct {
	Password, Token, JWT, Mail, Address, Configured, Environment, Config, HeapKey string
}

func newCanaries() canaries {
	word := func(n int) string {
		b := make([]byte, n)
		rand.Read(b) // never fails
		return hex.EncodeToString(b)
	}
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + word(6) + `"}`))
	var ip [3]byte
	rand.Read(ip[:])
	return canaries{
		Password: "pw" + word(5), Token: "tk" + word(5), Environment: "env" + word(5), Config: "cfg" + word(5), Configured: "plain words " + word(5),
		JWT:     "eyJhbGciOiJIUzI1NiJ9." + claims + "." + base64.RawURLEncoding.EncodeToString([]byte(word(16))),
		Mail:    "ann." + word(4) + "@example.org",
		Address: fmt.Sprintf("185.%d.%d.%d", ip[0], ip[1], ip[2]),
		HeapKey: word(32),
	}
}

// environment is what has canaries in the environment of a process: keys that are secret, and one that is shown.
func (c *canaries) environment() map[string]string {
	return map[string]string{
		"DB_PASSWORD": c.Environment, "PRIVATE_KEY": c.Environment, "GOPROXY": "https://user:" + c.Environment + "@proxy.example.org,off",
	}
}

// config is a configuration with canaries under secret keys, which lies in each bundle as it is: no configuration leaves the machine,
// masked or not.
func (c *canaries) config() []byte {
	return fmt.Appendf(nil, `{"db.password":{"Value":%q},"ops.addr":{"Value":"127.0.0.1:0"},"chat.greeting":{"Value":%q}}`, c.Config, c.Config)
}

// said is the value of a panic, with all that it should not say.
func (c *canaries) said(n int) string {
	return fmt.Sprintf("%s %d: %s from %s, password=%s, %s, Authorization: Bearer %s", harmless, n, c.Mail, c.Address, c.Password, c.Configured, c.JWT)
}

// harmless is the part of it that a report shows.
const harmless = "player 42 has hp -1 in round"

// all are the texts to look for.
func (c *canaries) all() map[string]string {
	key, _ := hex.DecodeString(c.HeapKey) // its own work
	jwt := strings.Split(c.JWT, ".")
	return map[string]string{
		"password": c.Password, "token": c.Token, "claims of a JWT": jwt[1], "signature of a JWT": jwt[2], "e-mail": c.Mail,
		"IPv4": c.Address, "configured": c.Configured, "environment": c.Environment, "configuration": c.Config, "key as hex": c.HeapKey, "key": string(key),
		"key as base64": base64.StdEncoding.EncodeToString(key), "part of a key": string(key[:16]),
	}
}

// refuge is a site whose reports have a Sentry to go to.
type refuge struct {
	*site
	sink    *sentrytest.Sink
	secrets canaries
	stall   time.Duration // of its speakers
}

func newRefuge(t *testing.T) *refuge {
	t.Helper()
	r := &refuge{site: newSite(t), sink: sentrytest.New(), secrets: newCanaries()}
	t.Cleanup(r.sink.Close)
	for name, value := range r.secrets.environment() {
		t.Setenv(name, value)
	}
	return r
}

// speaker starts a server that panics with what it is told.
func (r *refuge) speaker() (p *program, addr string) {
	r.t.Helper()
	order, err := json.Marshal(speaker{Dir: r.crashes, Run: r.run, DSN: r.sink.DSN(), Stall: r.stall, Secrets: []string{r.secrets.Configured}, Canaries: r.secrets})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Setenv(speakerVariable, string(order))
	p = launchIn(r.t, r.dir, os.Args[0])
	os.Unsetenv(speakerVariable)
	return p, p.find(`^listening on (\S+)`)[1]
}

// say sends one packet to a server.
func (r *refuge) say(addr, text string) {
	r.t.Helper()
	c, err := connect(addr, lan)
	if err == nil {
		defer c.conn.Close()
		err = c.send([]byte(text))
	}
	if err == nil {
		_, _ = c.receive() // the end
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// crash makes panics, a third of them on their way to a death, until there are so many bundles.
func (r *refuge) crash(from, to int) {
	r.t.Helper()
	p, addr := r.speaker()
	for n := from; n < to; n++ {
		text := r.secrets.said(n)
		dying := n%3 == 2 || n == to-1
		if dying {
			text = deadly + text
		}
		r.say(addr, text)
		eventually(r.t, "another bundle is finished", func() bool { return r.finished() == n+1 })
		if dying {
			if status := p.status(patience); status != 2 {
				r.t.Errorf("exit status %d, want 2", status)
			}
			r.settled()
		}
		if dying && n < to-1 {
			p, addr = r.speaker()
		}
	}
}

// finished counts the bundles.
func (r *refuge) finished() int {
	found, _ := filepath.Glob(filepath.Join(r.crashes, "*Z-*", "meta.json")) // the pattern is well formed
	return len(slices.DeleteFunc(found, func(path string) bool { return strings.Contains(path, ".partial") }))
}

// events are the ids under which the bundles are to be sent.
func (r *refuge) events() map[string]bool {
	r.t.Helper()
	all := map[string]bool{}
	for _, e := range r.bundles() {
		all[metaOf(r.t, e).Event] = true
	}
	return all
}

// With Sentry down for a whole run every report waits. Once it is up the next starts send them, back-off or not: each arrives, once,
// though two servers send at a time, and no secret does.
func TestReportsOutliveAnOutageAndTellNoSecret(t *testing.T) {
	r := newRefuge(t)
	r.sink.Down(true)
	r.crash(0, *crashCount-1)
	p := r.armed(append(slices.Clone(mortal), "--set", "crash.sentry_dsn="+r.sink.DSN())...)
	p.die(syscall.SIGABRT, 2)
	want := r.events()
	if len(want) != *crashCount || r.sink.Requests() != 0 {
		t.Fatalf("%d events of %d crashes, %d of them sent already", len(want), *crashCount, r.sink.Requests())
	}

	r.sink.Down(false)
	servers := make([]*program, 2)
	for i := range servers {
		servers[i], _ = r.speaker()
	}
	eventually(t, "all arrived", func() bool { return len(r.sink.Events()) >= len(want) })
	for _, p := range servers {
		p.die(syscall.SIGTERM, 0)
	}
	checkSink(t, r.sink, want)
	r.checkSecrets()
	t.Logf("%d crashes, %d events, %d requests", *crashCount, len(r.sink.Events()), r.sink.Requests())
}

// lasting is a living server with a report that Sentry did not take.
func (r *refuge) lasting() *program {
	r.t.Helper()
	r.sink.Down(true)
	p, addr := r.speaker()
	r.say(addr, r.secrets.said(0))
	eventually(r.t, "an attempt has failed", func() bool {
		ids, _ := filepath.Glob(filepath.Join(r.crashes, "*Z-*", "meta.json")) // the pattern is well formed
		if len(ids) != 1 {
			return false
		}
		m, err := bundle.ReadMeta(filepath.Dir(ids[0]))
		if err != nil {
			return false
		}
		fate, err := sentry.FateOf(filepath.Join(r.crashes, monitor.SpoolDir), m)
		return err == nil && fate.Waits && fate.Failures == 1
	})
	r.sink.Down(false)
	return p
}

// A report that waits is sent while its server lives, without another crash, start or command.
func TestReportsOfALivingServerAreSentWhenSentryIsUpAgain(t *testing.T) {
	r := newRefuge(t)
	p := r.lasting()
	began := time.Now()
	eventually(t, "it arrived", func() bool { return len(r.sink.Events()) > 0 })
	took := time.Since(began)
	p.die(syscall.SIGTERM, 0)
	checkSink(t, r.sink, r.events())
	t.Logf("%v after Sentry was up", took.Round(time.Second))
}

// A server that ends in good order sends what waits before it is gone, whatever back-off there is.
func TestReportsAreSentWhenTheirServerEnds(t *testing.T) {
	r := newRefuge(t)
	p := r.lasting()
	took := p.die(syscall.SIGTERM, 0)
	checkSink(t, r.sink, r.events())
	t.Logf("ended after %v", took.Round(time.Millisecond))
}

// checkSecrets fails when a canary is in what the sink was sent, or the rest of a value is not.
func (r *refuge) checkSecrets() {
	r.t.Helper()
	for name, secret := range r.secrets.all() {
		if r.sink.Has(secret) {
			r.t.Errorf("%s was sent: %q", name, secret)
		}
	}
	var local strings.Builder // what stays here shows them: they were there
	for _, e := range r.bundles() {
		text, err := e.Read("crash.txt", 1<<20)
		if err != nil {
			r.t.Fatal(err)
		}
		config, err := e.Read("config.json", 1<<20)
		if err != nil {
			r.t.Fatal(err)
		}
		local.Write(append(text, config...))
	}
	for _, secret := range []string{r.secrets.Mail, r.secrets.JWT, r.secrets.Address, r.secrets.Configured, r.secrets.Password, r.secrets.Config} {
		if !strings.Contains(local.String(), secret) {
			r.t.Errorf("%q is in no file of a bundle", secret)
		}
	}
	for n := range *crashCount - 1 {
		if text := fmt.Sprintf("%s %d: ", harmless, n); !r.sink.Has(text) {
			r.t.Errorf("%q was not sent", text)
		}
	}
	for _, e := range r.sink.Events() {
		if len(e.Attachment("crash.txt")) == 0 || len(e.Attachment("meta.json")) == 0 {
			r.t.Errorf("event %s came without its text", e.ID)
		}
	}
	if !r.sink.Has("login of ") {
		r.t.Error("no line of the log was sent: breadcrumbs are missing")
	}
}
