package observe

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"vitrine/core/engine"
	"vitrine/core/frame"
)

// What happens to sessions is logged once each, with who it was and why.
func TestSessionsAreLogged(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	ordinary := r.dial()
	ordinary.echoed(7, "hello")
	ordinary.Close()
	remote := ordinary.LocalAddr().String()
	id := (<-r.handler.ids).String()
	kicked := r.dial()
	kicked.echoed(7, "hello")
	r.srv.Disconnect(<-r.handler.ids)
	kicked.gone()
	eventually(t, "both have left", func() bool { return r.srv.Status().Total.Leaves == 2 })
	left, ended := r.log.with(t, "session left"), r.log.with(t, "session ended")
	if len(left) != 1 || len(ended) != 1 || len(r.log.with(t, "session joined")) != 2 {
		t.Fatalf("got left %v, ended %v, want one each, and two joined", left, ended)
	}
	for key, want := range map[string]any{
		"level": "DEBUG", "type": "session", "server": "echo", "session": id, "worker": 0.0, "remote": remote,
		"reason": "peer_closed", "packets_in": 1.0, "packets_out": 1.0,
	} {
		if left[0][key] != want {
			t.Errorf("%s: got %v, want %v", key, left[0][key], want)
		}
	}
	if ended[0]["reason"] != "kicked" || ended[0]["level"] != "INFO" || ended[0]["age_ms"] == nil {
		t.Errorf("got %v, want kicked at info", ended[0])
	}
}

// A panic is logged with the stack that panicked, and the server goes on.
func TestPanicsAreLoggedWithTheirStack(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	c := r.dial()
	c.send(666, "")
	c.gone()
	eventually(t, "the session has left", func() bool { return r.srv.Status().Total.Leaves == 1 })
	r.dial().echoed(7, "still there")
	lines := r.log.with(t, "panic in a callback")
	if len(lines) != 1 {
		t.Fatalf("got %v, want one line", lines)
	}
	line := lines[0]
	if line["level"] != "ERROR" || line["type"] != "crash" || line["callback"] != "OnRecv" || line["packet_type"] != 666.0 ||
		line["error"] != "the devil's packet" || line["session"] != (<-r.handler.ids).String() {
		t.Errorf("got %v", line)
	}
	if stack, _ := line["stack"].(string); !strings.Contains(stack, "(*echo).OnRecv") {
		t.Errorf("the stack does not show the callback:\n%s", stack)
	}
	if broken := r.log.with(t, "session broken"); len(broken) != 1 || broken[0]["reason"] != "handler_panic" {
		t.Errorf("session: got %v, want handler_panic", broken)
	}
}

func TestRefusalsAreLogged(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1, AllowFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	c := r.dial()
	c.gone()
	eventually(t, "a line", func() bool { return len(r.log.with(t, "connection refused")) == 1 })
	line := r.log.with(t, "connection refused")[0]
	if line["type"] != "security" || line["refusal"] != "refused_address" || line["remote"] != c.LocalAddr().String() {
		t.Errorf("got %v", line)
	}
}

func TestBadFramesAreLogged(t *testing.T) {
	codec, err := frame.ClassicA(frame.ClassicConfig{Code: 0x77, Key: 1, Key2: 2})
	if err != nil {
		t.Fatal(err)
	}
	r := launch(t, engine.Config{Workers: 1, Codec: codec})
	c := r.dial()
	c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	c.gone()
	eventually(t, "the session has left", func() bool { return len(r.log.with(t, "session broken")) == 1 })
	if lines := r.log.with(t, "bad frame"); len(lines) != 1 || lines[0]["reason"] != "bad_code" || lines[0]["type"] != "network" || lines[0]["error"] == "" {
		t.Errorf("got %v", lines)
	}
}

// What a peer causes without end does not flood the log: ten lines a second, and how many were held back.
func TestFloodsAreHeldBack(t *testing.T) {
	log := new(lines)
	st := stackOf(t, Config{Log: log.handler()})
	observer, again := st.Observer("chat"), st.Observer("chat")
	for range 500 {
		observer.Panicked(engine.Panic{Callback: "OnConnectionRequest"})
		again.Panicked(engine.Panic{Callback: "OnConnectionRequest"})
		observer.ConnectionRefused(netip.AddrPort{}, engine.RefusedFull)
	}
	if got := len(log.with(t, "panic in a callback")); got != linesPerSecond {
		t.Errorf("lines: got %d, want %d", got, linesPerSecond)
	}
	if got, want := st.heldBack(), uint64(1500-2*linesPerSecond); got != want {
		t.Errorf("held back: got %d, want %d", got, want)
	}
	st.reportHeldBack()
	reports := log.with(t, "log lines held back")
	if len(reports) != 2 {
		t.Fatalf("reports: got %v, want one each", reports)
	}
	if got := reports[0]; got["held_back"] != 490.0 || got["message"] != "connection refused" || got["server"] != "chat" || got["level"] != "WARN" {
		t.Errorf("report: got %v", got)
	}
	observer.Panicked(engine.Panic{Callback: "again"})
	if got := len(log.with(t, "panic in a callback")); got != linesPerSecond+1 {
		t.Errorf("lines in the next second: got %d, want one more", got)
	}
	st.reportHeldBack()
	if got := len(log.with(t, "log lines held back")); got != 2 {
		t.Errorf("reports after a quiet second: got %d, want none new", got)
	}
	if got, want := st.heldBack(), uint64(1500-2*linesPerSecond); got != want {
		t.Errorf("held back in the end: got %d, want %d", got, want)
	}
}

// Every reason has a line, and only a good end is below info.
func TestEveryReasonHasALine(t *testing.T) {
	st := stackOf(t, Config{Log: new(lines).handler()})
	h := hooksOf(st, "echo")
	for _, reason := range engine.Reasons() {
		level := h.closeLine(reason).level
		if good := reason == engine.PeerClosed || reason == engine.ServerStopping; good != (level == slog.LevelDebug) {
			t.Errorf("%v: logged at %v", reason, level)
		}
	}
}

// What the log does not show costs nothing.
func TestLinesThatAreNotShownAreFree(t *testing.T) {
	st := stackOf(t, Config{Log: slog.NewTextHandler(new(lines), nil)})
	h := hooksOf(st, "echo")
	if n := testing.AllocsPerRun(100, func() { h.sessionOpened(nil); h.sessionClosed(nil, engine.PeerClosed) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
	for range linesPerSecond {
		h.refused.limiter.allow()
	}
	if n := testing.AllocsPerRun(100, func() { h.connectionRefused(netip.AddrPort{}, engine.RefusedFull) }); n != 0 {
		t.Errorf("held back: got %v allocations, want 0", n)
	}
}

func TestFullSendQueuesAreLogged(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1, SendLimitPackets: 1})
	c := r.dial()
	c.Write([]byte("\x01\x00a\x01\x00b\x01\x00c")) // three answers in one turn, and room for one
	c.gone()
	eventually(t, "the session has left", func() bool { return len(r.log.with(t, "session broken")) == 1 })
	if lines := r.log.with(t, "send queue full"); len(lines) != 1 || lines[0]["waiting_packets"] != 1.0 || lines[0]["waiting_bytes"] != 3.0 || lines[0]["limit"] != "session" {
		t.Errorf("got %v, want one line with what waits", lines)
	}
	if got := r.log.with(t, "session broken")[0]["reason"]; got != "send_queue_full" {
		t.Errorf("reason: got %v", got)
	}
}
