package observe

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"
	"vitrine/crash"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	crash.ServeMonitor()
	if os.Getenv(perishVariable) != "" {
		perish()
		return
	}
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

// echo answers every packet, panics at type 666, holds up its worker at type 500 until release is closed, and gives those
// of type 700 to the next of notes.
type echo struct {
	notes   chan func(*engine.Session, *packet.Reader)
	ids     chan engine.ID
	held    chan struct{}
	release chan struct{}
}

func newEcho() *echo {
	return &echo{ids: make(chan engine.ID, 4096), held: make(chan struct{}, 1), release: make(chan struct{}), notes: make(chan func(*engine.Session, *packet.Reader), 8)}
}

func (e *echo) OnClientJoin(s *engine.Session) { e.ids <- s.ID() }

func (e *echo) OnRecv(s *engine.Session, in *packet.Reader) {
	whole := in.Rest()
	if len(whole) >= 2 {
		switch binary.LittleEndian.Uint16(whole) {
		case 666:
			panic("the devil's packet")
		case 500:
			e.held <- struct{}{}
			<-e.release
		case 700:
			(<-e.notes)(s, in)
		}
	}
	s.Send(s.NewPacket().Bytes(whole))
}

func (e *echo) OnClientLeave(*engine.Session, engine.Reason) {}

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was written.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) handler() slog.Handler {
	return slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})
}

// with returns the lines whose message is the one given.
func (l *lines) with(t *testing.T, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for text := range strings.Lines(l.text.String()) {
		line := map[string]any{}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("log line %q: %v", text, err)
		}
		if line["msg"] == message {
			found = append(found, line)
		}
	}
	return found
}

// rig is a running stack with one echo server.
type rig struct {
	t       *testing.T
	stack   *Stack
	srv     *engine.Server
	handler *echo
	log     *lines
	signals chan os.Signal
	exits   chan int
	ended   chan error // what Run returned
}

// launch runs a stack with the server described and ends it with the test. The test reads its lines.
func launch(t *testing.T, cfg engine.Config) *rig {
	t.Helper()
	log := new(lines)
	r := launchStack(t, Config{OpsAddr: "127.0.0.1:0", Log: log.handler()}, cfg)
	r.log = log
	return r
}

// launchStack is launch with a stack as described.
func launchStack(t *testing.T, stackConfig Config, cfg engine.Config) *rig {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the engine runs on Linux")
	}
	r := &rig{
		t: t, handler: newEcho(), signals: make(chan os.Signal, 8),
		exits: make(chan int, 1), ended: make(chan error, 1),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan struct{})
	stackConfig.StopTimeout = 5 * time.Second
	stackConfig.signals, stackConfig.exit = r.signals, func(code int) { r.exits <- code }
	go func() {
		r.ended <- Run(ctx, stackConfig, func(ctx context.Context, st *Stack) error {
			r.stack = st
			r.srv = r.serve(cfg)
			close(ready)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := r.wait(); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-r.ended:
		t.Fatalf("run: %v", err)
	}
	return r
}

// stackOf returns a stack that does not run.
func stackOf(t *testing.T, cfg Config) *Stack {
	t.Helper()
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	j, err := openJournal(&cfg, 1, &capture{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.close)
	return newStack(cfg, 1, j, &capture{})
}

// serve adds a server to the stack. It runs inside main.
func (r *rig) serve(cfg engine.Config) *engine.Server {
	if cfg.Name == "" {
		cfg.Name = "echo"
	}
	cfg.Addr, cfg.Observer, cfg.Boot = "127.0.0.1:0", r.stack.Observer(cfg.Name), r.stack.Boot()
	cfg.FlightDir = r.stack.FlightDir("")
	srv, err := engine.New(cfg, r.handler)
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		r.t.Error(err)
	}
	r.stack.Add(srv)
	return srv
}

// wait returns what Run returned, once it has.
func (r *rig) wait() error {
	err := <-r.ended
	r.ended <- err
	return err
}

// get asks the ops HTTP.
func (r *rig) get(path string) (code int, body string) {
	r.t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+r.stack.OpsAddr()+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.do(request)
}

// do sends a request to the ops HTTP.
func (r *rig) do(request *http.Request) (code int, body string) {
	r.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// getJSON asks the ops HTTP and reads the answer into v.
func (r *rig) getJSON(path string, v any) int {
	r.t.Helper()
	code, body := r.get(path)
	if err := json.Unmarshal([]byte(body), v); err != nil {
		r.t.Fatalf("%s answered %q: %v", path, body, err)
	}
	return code
}

// client is a plain TCP client that speaks LAN frames.
type client struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func (r *rig) dial() *client {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.srv.Addr())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{r.t, conn, bufio.NewReader(conn)}
}

func (c *client) send(typ uint16, body string) {
	c.t.Helper()
	frame := binary.LittleEndian.AppendUint16(nil, uint16(2+len(body)))
	frame = binary.LittleEndian.AppendUint16(frame, typ)
	if _, err := c.Write(append(frame, body...)); err != nil {
		c.t.Fatal(err)
	}
}

// echoed sends a packet and wants it back.
func (c *client) echoed(typ uint16, body string) {
	c.t.Helper()
	c.send(typ, body)
	answer := make([]byte, 4+len(body))
	if _, err := io.ReadFull(c.in, answer); err != nil || string(answer[4:]) != body {
		c.t.Fatalf("echo of %q: got %q, %v", body, answer, err)
	}
}

// gone waits until the server has closed the connection.
func (c *client) gone() {
	c.t.Helper()
	io.Copy(io.Discard, c.in)
}

// eventually waits until what is asked for holds: figures are published at the end of a turn, after the answer is sent.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
		runtime.Gosched()
	}
}
