package observe

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/flight"
)

func TestIndexListsEveryPage(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	code, body := r.get("/")
	if code != http.StatusOK {
		t.Errorf("/: got %d", code)
	}
	for _, e := range r.stack.endpoints() {
		if !strings.Contains(body, e.path+" ") {
			t.Errorf("the index does not list %s:\n%s", e.path, body)
		}
	}
}

func TestOpsHTTPRefuses(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct {
		name, method, path, header string
		want                       int
	}{
		{"a page that is not there", "GET", "/nothing", "", http.StatusNotFound},
		{"a method that would change", "POST", "/status", "", http.StatusMethodNotAllowed},
		{"a header above the limit", "GET", "/status", strings.Repeat("x", 2*maxHeaderBytes), http.StatusRequestHeaderFieldsTooLarge},
		{"a header below it", "HEAD", "/status", strings.Repeat("x", maxHeaderBytes/2), http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			request, err := http.NewRequest(c.method, "http://"+r.stack.OpsAddr()+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Long", c.header)
			answer, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != c.want {
				t.Errorf("got %d, want %d", answer.StatusCode, c.want)
			}
		})
	}
}

// /status says what the stack is and what each server, each worker and all of them count, in snake_case.
func TestStatusPage(t *testing.T) {
	r := launch(t, engine.Config{Workers: 2, MaxSessions: 100})
	c := r.dial()
	c.echoed(7, "hello")
	eventually(t, "the packet is counted", func() bool { return r.srv.Status().Total.SentBytes == 9 })
	var status Status
	if code := r.getJSON("/status", &status); code != http.StatusOK {
		t.Errorf("got %d", code)
	}
	one := status.Servers[0]
	switch {
	case status.State != StateReady || status.Boot == "0" || status.Build.Go == "" || status.Uptime <= 0:
		t.Errorf("the stack: got %+v", status)
	case one.Name != "echo" || one.Addr != r.srv.Addr() || one.Limit != 100 || one.Sessions != 1 || len(one.Workers) != 2:
		t.Errorf("the server: got %+v", one)
	case one.Workers[0].Counters.RecvPackets+one.Workers[1].Counters.RecvPackets != 1 || status.Total.Counters.RecvPackets != 1 || status.Total.Limit != 100:
		t.Errorf("packets of the workers %+v and in all %+v, want 1", one.Workers, status.Total)
	case len(one.Pools) != 3 || one.Pools[0].Name != "packets" || one.Pools[0].Capacity == 0 || len(one.Pools[0].Cached) == 0:
		t.Errorf("pools: got %+v", one.Pools)
	case one.Duration.Count != 1 && flight.Enabled:
		t.Errorf("duration: got %+v", one.Duration)
	}
	_, body := r.get("/status")
	for _, word := range []string{`"recv_packets": 1`, `"packets_in_per_second"`, `"boot": "`, `"close_reasons": {}`, `"p99_ns"`, `"in_use"`} {
		if !strings.Contains(body, word) {
			t.Errorf("/status lacks %s:\n%s", word, body)
		}
	}
}

// Why sessions ended and how the pools are used is told per worker, per server and in all, and the sums agree.
func TestStatusAddsUpPerWorkerAndInAll(t *testing.T) {
	r := launch(t, engine.Config{Workers: 2})
	r.serve(engine.Config{Name: "other", Workers: 1})
	const clients = 6
	for range clients {
		c := r.dial()
		c.echoed(7, "hello")
		c.Close()
	}
	eventually(t, "all have left and slots are cached", func() bool {
		st := r.srv.Status()
		return st.Total.Leaves == clients && st.Workers[0].Cached.Packets+st.Workers[1].Cached.Packets > 0
	})
	var status Status
	r.getJSON("/status", &status)
	one := status.Servers[0]
	var ended uint64
	for i, w := range one.Workers {
		ended += w.CloseReasons["peer_closed"]
		if w.CloseReasons["peer_closed"] != w.Counters.Closed {
			t.Errorf("worker %d: reasons %v of %d sessions", i, w.CloseReasons, w.Counters.Closed)
		}
		for _, p := range one.Pools {
			if cached, ok := w.Cached[p.Name]; p.Name != partialPoolName && (!ok || cached != p.Cached[1+i]) {
				t.Errorf("worker %d caches %v of %s, want %d", i, w.Cached, p.Name, p.Cached[1+i])
			}
		}
	}
	if in := status.Total.CloseReasons["peer_closed"]; ended != clients || in != clients {
		t.Errorf("sessions ended: workers say %d, in all %d, want %d", ended, in, clients)
	}
	if len(status.Total.Pools) != len(one.Pools) {
		t.Fatalf("pools in all: got %+v", status.Total.Pools)
	}
	for i, p := range status.Total.Pools {
		if a, b := one.Pools[i], status.Servers[1].Pools[i]; p.Name != a.Name || p.Capacity != a.Capacity+b.Capacity || p.Allocated != a.Allocated+b.Allocated {
			t.Errorf("pool in all: got %+v, want the sum of %+v and %+v", p, a, b)
		}
	}
	cached := 0
	for _, w := range one.Workers {
		cached += w.Cached[packetPoolName]
	}
	if got := sum(r.scrape()[metricPrefix+"pool_cached"], "server=echo", "pool="+packetPoolName); got != float64(cached) {
		t.Errorf("metric pool_cached: got %v, want %d", got, cached)
	}
}

func TestCountersSurviveJSON(t *testing.T) {
	want := Counters{Turns: 1, RecvBytes: 1<<53 + 1, Panics: 1<<64 - 1}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Counters
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
	}
}

// Rates are of the samples that are left in the window, for the server and for each worker.
func TestRatesAreOfTheWindow(t *testing.T) {
	var w window
	begin := time.Now()
	for second := range 10 {
		n := uint64(second * second)
		counters := engine.Counters{RecvPackets: n, SentPackets: 2 * n, RecvBytes: 3 * n, SentBytes: 4 * n, Accepts: 5 * n}
		status := engine.Status{Total: counters}
		if second > 5 { // the second worker comes late
			status.Workers = []engine.WorkerStatus{{Counters: counters}}
		}
		w.add(begin.Add(time.Duration(second)*time.Second), status)
		if second == 0 && w.total() != (Rates{}) {
			t.Errorf("of one sample: got %+v, want none", w.total())
		}
	}
	per := float64(9*9-4*4) / 5
	if want := (Rates{per, 2 * per, 3 * per, 4 * per, 5 * per}); w.total() != want {
		t.Errorf("got %+v, want %+v", w.total(), want)
	}
	if got := w.worker(0).PacketsIn; got != 81.0/5 {
		t.Errorf("worker that came late: got %v, want %v", got, 81.0/5)
	}
	if got := w.worker(7); got != (Rates{}) {
		t.Errorf("worker that is not there: got %+v", got)
	}
}

// What clients do shows in the rates once a sample has been taken.
func TestRatesFollowTraffic(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	c := r.dial()
	for range 10 {
		c.echoed(7, "hello")
	}
	eventually(t, "the packets are counted", func() bool { return r.srv.Status().Total.RecvPackets == 10 })
	r.stack.sampleAll(time.Now())
	status := r.stack.Status()
	for name, rates := range map[string]Rates{"server": status.Servers[0].Rates, "worker": status.Servers[0].Workers[0].Rates, "all": status.Total.Rates} {
		if rates.PacketsIn <= 0 || rates.BytesOut <= 0 || rates.Accepts <= 0 {
			t.Errorf("%s: got %+v, want some", name, rates)
		}
	}
}
