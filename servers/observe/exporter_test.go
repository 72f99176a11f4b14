package observe

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"

	service "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// collecting is a collector of OpenTelemetry that tests read.
type collecting struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	records  []*logs.LogRecord // guarded by mu
	resource map[string]string // guarded by mu
}

func newCollecting(t *testing.T) *collecting {
	c := &collecting{t: t}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// ServeHTTP takes a request as OTLP/HTTP defines it.
func (c *collecting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.t.Errorf("got %s %s of %s", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	text, err := io.ReadAll(body)
	var request service.ExportLogsServiceRequest
	if err = errors.Join(err, proto.Unmarshal(text, &request)); err != nil {
		c.t.Errorf("request: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range request.ResourceLogs {
		c.resource = words(of.Resource.Attributes)
		for _, scope := range of.ScopeLogs {
			c.records = append(c.records, scope.LogRecords...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// words returns attributes as text.
func words(attributes []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range attributes {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			all[a.Key] = fmt.Sprint(v.IntValue)
		default:
			all[a.Key] = fmt.Sprint(a.Value)
		}
	}
	return all
}

// with returns the records whose message is the one given.
func (c *collecting) with(message string) (some []*logs.LogRecord) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.records {
		if r.Body.GetStringValue() == message {
			some = append(some, r)
		}
	}
	return some
}

// The collector gets what is WARN and above with its type, session and trace, and nothing below.
func TestCollectorGetsWarnings(t *testing.T) {
	recorded(t)
	c := newCollecting(t)
	cfg, _ := journaled(t)
	cfg.LogOTLP, cfg.MaskKeys = c.URL, []string{"*_iban"}
	r := launchStack(t, cfg, engine.Config{Workers: 1})
	trace := make(chan string, 1)
	r.handler.notes <- func(s *engine.Session, in *packet.Reader) {
		ctx := r.stack.Context(context.Background(), s, in)
		slog.InfoContext(ctx, "too little", "type", "game")
		slog.WarnContext(ctx, "cheating", "type", "game", "gold", 7, "token", "hunter2", "his_iban", "hunter3")
		id, span := traceOf(r.stack.Boot(), in.Trace())
		trace <- hex.EncodeToString(id[:]) + " " + hex.EncodeToString(span[:])
	}
	r.dial().echoed(700, "hello")
	id := (<-r.handler.ids).String()
	r.end()
	if got := c.with("too little"); len(got) != 0 {
		t.Errorf("a line of INFO was exported: %v", got)
	}
	got := c.with("cheating")
	if len(got) != 1 {
		t.Fatalf("got %v, want one line", got)
	}
	if at := time.Unix(0, int64(got[0].TimeUnixNano)); got[0].SeverityNumber != logs.SeverityNumber_SEVERITY_NUMBER_WARN || time.Since(at).Abs() > time.Hour {
		t.Errorf("got severity %v at %v", got[0].SeverityNumber, at)
	}
	if ids := hex.EncodeToString(got[0].TraceId) + " " + hex.EncodeToString(got[0].SpanId); ids != <-trace {
		t.Errorf("trace and span: got %s", ids)
	}
	for key, want := range map[string]string{"type": "game", "session": id, "gold": "7", "token": "***", "his_iban": "***"} {
		if have := words(got[0].Attributes)[key]; have != want {
			t.Errorf("%s: got %q, want %q", key, have, want)
		}
	}
	if c.resource["service.name"] != "vitrine" || c.resource["service.instance.id"] != bootText(r.stack.Boot()) {
		t.Errorf("resource: got %v", c.resource)
	}
	if start := c.with("process started"); len(start) != 1 || start[0].SeverityNumber >= logs.SeverityNumber_SEVERITY_NUMBER_WARN {
		t.Errorf("start: got %v, want it and no alarm", start)
	}
	status := r.stack.Status().Log.Export
	if status.Sent == 0 || status.Lost != 0 || status.Waiting != 0 || status.Failing {
		t.Errorf("figures: got %+v", status)
	}
}

// A collector that is not there holds nothing up; what it does not get is counted and the files have it.
func TestCollectorThatIsNotThereDisturbsNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	cfg, console := journaled(t)
	cfg.OpsAddr, cfg.LogOTLP = "", "http://"+l.Addr().String()
	var st *Stack
	err = Run(t.Context(), cfg, func(_ context.Context, stack *Stack) error {
		st = stack
		slog.Warn("nobody hears it")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	said := console.String()
	if !strings.Contains(said, "log collector fails") || !strings.Contains(said, "log lines not exported lines=3 sent=0") {
		t.Errorf("the console says\n%s", said)
	}
	if got := st.Status().Log.Export; got.Lost != 3 || !got.Failing {
		t.Errorf("figures: got %+v, want the start, the warning and the stop lost", got)
	}
}

// A collector that does not answer is given up in time; the queue is bounded and what it has no room for is counted.
func TestCollectorThatHangsIsGivenUp(t *testing.T) {
	asked, release := make(chan struct{}, 100), make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	defer hanging.Close()
	defer close(release)
	cfg, _ := journaled(t)
	cfg.OpsAddr, cfg.LogOTLP = "", hanging.URL
	const lines = exportQueue + 100
	var st *Stack
	var ended time.Time
	err := Run(t.Context(), cfg, func(_ context.Context, stack *Stack) error {
		st = stack
		slog.Warn("first")
		<-asked
		for range lines - 2 { // the start and the first
			slog.Warn("more", "type", "game")
		}
		if got := st.Status().Log.Export; got.Waiting != exportQueue || got.Lost != 100 {
			t.Errorf("figures: got %+v, want %d waiting and 100 lost", got, exportQueue)
		}
		ended = time.Now()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(ended); took > exportFlush+10*time.Second {
		t.Errorf("the end took %v, want about %v", took, exportFlush)
	}
	if got := st.Status().Log.Export; got.Waiting != 0 || got.Lost != lines+1 || got.Sent != 0 {
		t.Errorf("figures: got %+v, want all %d lost", got, lines+1)
	}
}

func TestCollectorURLs(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:4318":           "http://127.0.0.1:4318/v1/logs",
		"https://otel.example.org/":       "https://otel.example.org/v1/logs",
		"http://otel:4318/tenant/v1/logs": "http://otel:4318/tenant/v1/logs",
		"127.0.0.1:4318":                  "",
		"ftp://otel":                      "",
		"http://":                         "",
		"http://user:hunter2@ho st":       "",
		"http://user:hunter2@host:4318":   "",
		"http://host:4318/?key=hunter2":   "",
	} {
		u, err := collectorURL(text)
		if want == "" {
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: got %v, %v, want an error without the password", text, u, err)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%q: got %v, %v, want %s", text, u, err, want)
		}
	}
	if err := (Config{LogOTLP: "teapot"}).Validate(); err == nil {
		t.Error("a bad collector is not refused")
	}
}

// The collector gets no secret that the files do not get, however deep it lies.
func TestExportMasksSecrets(t *testing.T) {
	c := newCollecting(t)
	cfg := Config{LogOTLP: c.URL, Log: slog.DiscardHandler}
	err := Run(t.Context(), cfg, func(_ context.Context, st *Stack) error {
		login := map[string]any{"name": "ann", "api-key": "hunter2", "old": []any{map[string]string{"Passwd": "hunter2"}}}
		var nothing *net.TCPAddr
		st.Logger().With("db_dsn", "hunter2", "session", "4").WithGroup("client_secret").Warn("in a group", "plain", "hunter2")
		st.Logger().Warn("masked", "user.password", "hunter2", "login", login, "error", errors.New("bad"), "addr", nothing,
			slog.Group("auth", "token", "hunter2", "user", "ann"), "link", &url.URL{Scheme: "http", Host: "db", User: url.UserPassword("ann", "hunter2")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	all := fmt.Sprint(c.records)
	c.mu.Unlock()
	if strings.Contains(all, "hunter2") {
		t.Errorf("a secret was sent: %s", all)
	}
	got := c.with("masked")
	if len(got) != 1 || len(c.with("in a group")) != 1 {
		t.Fatalf("got %s", all)
	}
	for key, want := range map[string]string{
		"login": `{"api-key":"***","name":"ann","old":[{"Passwd":"***"}]}`, "error": "bad", "user.password": "***",
		"addr": "<nil>", "link": "http://ann:xxxxx@db",
	} {
		if have := words(got[0].Attributes)[key]; have != want {
			t.Errorf("%s: got %q, want %q", key, have, want)
		}
	}
}
