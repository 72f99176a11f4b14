package observe

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"vitrine/core/engine"
)

func TestHealthzAnswers(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	if code, body := r.get("/healthz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz: got %d %q, want 200 ok", code, body)
	}
}

// While the servers drain, the process is alive and not ready.
func TestReadyzFlipsWhileDraining(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	if code, body := r.get("/readyz"); code != http.StatusOK || body != "ready\n" {
		t.Errorf("before: got %d %q, want 200 ready", code, body)
	}
	c := r.dial()
	c.send(500, "hold the worker, so that the drain lasts")
	<-r.handler.held
	r.signals <- syscall.SIGTERM
	eventually(t, "draining", func() bool { return r.srv.Draining() })
	if code, body := r.get("/readyz"); code != http.StatusServiceUnavailable || body != "draining\n" {
		t.Errorf("while draining: got %d %q, want 503 draining", code, body)
	}
	if code, _ := r.get("/healthz"); code != http.StatusOK {
		t.Errorf("while draining, /healthz: got %d, want 200", code)
	}
	close(r.handler.release)
	c.gone()
	c.Close()
	if err := r.wait(); err != nil {
		t.Errorf("run: %v", err)
	}
	if got := r.stack.Status(); got.Total.Sessions != 0 || got.Servers[0].CloseReasons["server_stopping"] != 1 {
		t.Errorf("after the end: got %+v, want one session closed with server_stopping", got)
	}
}

// A signal soon after the first is the same request, a later one ends at once.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	clock := make(chan time.Time)
	r := launchStack(t, Config{Log: new(lines).handler(), now: func() time.Time { return <-clock }}, engine.Config{Workers: 1})
	c := r.dial()
	c.send(500, "hold")
	<-r.handler.held
	begin := time.Now()
	for i, sent := range []struct {
		sig   os.Signal
		after time.Duration
	}{{syscall.SIGTERM, 0}, {syscall.SIGTERM, 0}, {syscall.SIGINT, sameRequest - 1}, {syscall.SIGINT, sameRequest}} {
		select {
		case code := <-r.exits:
			t.Fatalf("ended with %d at signal %d", code, i)
		case r.signals <- sent.sig:
			clock <- begin.Add(sent.after)
		}
	}
	if code := <-r.exits; code != 130 {
		t.Errorf("exit status: got %d, want 130", code)
	}
	close(r.handler.release)
	c.Close()
}

func TestHangupReloads(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	ran := make(chan string, 2)
	r.stack.OnReload(func() error { ran <- "first"; return errors.New("bad file") })
	r.stack.OnReload(func() error { ran <- "second"; return nil })
	r.signals <- syscall.SIGHUP
	if got := []string{<-ran, <-ran}; got[0] != "first" || got[1] != "second" {
		t.Errorf("order: got %v", got)
	}
	eventually(t, "a line about it", func() bool { return len(r.log.with(t, "reloaded")) == 1 })
	if failed := r.log.with(t, "reload failed"); len(failed) != 1 || failed[0]["error"] != "bad file" {
		t.Errorf("failures logged: got %v, want the one", failed)
	}
	if code, _ := r.get("/readyz"); code != http.StatusOK {
		t.Errorf("/readyz after a reload: got %d, want 200", code)
	}
}

// Servers stop in the reverse order of their coming, and those that share a name are told apart.
func TestServersStopLastAddedFirst(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	r.serve(engine.Config{Name: "echo", Workers: 1})
	r.serve(engine.Config{Name: "late", Workers: 1})
	r.signals <- syscall.SIGTERM
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range r.log.with(t, "server stopped") {
		got = append(got, line["server"].(string))
	}
	if strings.Join(got, " ") != "late echo-2 echo" {
		t.Errorf("order: got %v, want late echo-2 echo", got)
	}
}

func TestRunReports(t *testing.T) {
	broken := errors.New("no database")
	idle := func(context.Context, *Stack) error { return nil }
	taken := launch(t, engine.Config{Workers: 1}).stack.OpsAddr()
	cases := []struct {
		name string
		cfg  Config
		main func(context.Context, *Stack) error
		want string
	}{
		{"nothing", Config{}, idle, ""},
		{"main's error", Config{}, func(context.Context, *Stack) error { return broken }, "no database"},
		{"a bad stop timeout and address", Config{StopTimeout: -1, OpsAddr: "here"}, idle, "stop timeout is -1ns"},
		{"a bad address beside", Config{StopTimeout: -1, OpsAddr: "here"}, idle, "missing port"},
		{"an address in use", Config{OpsAddr: taken}, idle, "in use"},
		{"main cancelled by itself", Config{}, func(context.Context, *Stack) error { return context.Canceled }, "context canceled"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Log = new(lines).handler()
			err := Run(t.Context(), c.cfg, c.main)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestOpsHTTPIsOptional(t *testing.T) {
	err := Run(t.Context(), Config{Log: new(lines).handler()}, func(_ context.Context, st *Stack) error {
		if st.OpsAddr() != "" || st.State() != StateStarting || st.Boot() == 0 {
			t.Errorf("got ops address %q, state %q, boot %d", st.OpsAddr(), st.State(), st.Boot())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// childVariable makes the test binary a program around Run that sends signals to itself.
const childVariable = "VITRINE_OBSERVE_CHILD"

// child is that program. Of SIGTERMs "drain" gets one, "twice" two at once and "late" another after Run: they must end well.
// "stuck" does not obey and gets more until one ends it.
func child() {
	program := os.Getenv(childVariable)
	err := Run(context.Background(), Config{}, func(ctx context.Context, _ *Stack) error {
		switch program {
		case "stuck":
			insist()
		case "twice":
			signalSelf()
		}
		signalSelf()
		<-ctx.Done()
		return ctx.Err()
	})
	if program == "late" {
		signalSelf()
	}
	if err != nil {
		os.Exit(1)
	}
}

// insist sends SIGTERM until one ends the process.
func insist() {
	for {
		signalSelf()
		<-time.After(sameRequest / 5)
	}
}

func signalSelf() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(syscall.SIGTERM)
	}
	if err != nil {
		panic(err)
	}
}

func TestRealSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals to send")
	}
	for _, c := range []struct {
		program string
		want    int
	}{{"drain", 0}, {"twice", 0}, {"late", 0}, {"stuck", 143}} {
		t.Run(c.program, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"="+c.program)
			out, _ := cmd.CombinedOutput() // the status says it
			if got := cmd.ProcessState.ExitCode(); got != c.want {
				t.Errorf("status: got %d, want %d\n%s", got, c.want, out)
			}
			if !strings.Contains(string(out), "draining") {
				t.Errorf("the log does not say that it drains:\n%s", out)
			}
		})
	}
}
