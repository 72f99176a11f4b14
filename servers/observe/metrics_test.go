package observe

import (
	"net/http"
	"strings"
	"testing"

	"vitrine/core/engine"
	"vitrine/core/stats"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrape reads /metrics as Prometheus does.
func (r *rig) scrape() map[string]*dto.MetricFamily {
	r.t.Helper()
	code, body := r.get("/metrics")
	if code != http.StatusOK {
		r.t.Fatalf("/metrics: got %d\n%s", code, body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	return families
}

// sum adds up the metrics of a family that have all the labels, given as name=value.
func sum(family *dto.MetricFamily, labels ...string) (total float64) {
	for _, m := range family.GetMetric() {
		has := ""
		for _, l := range m.GetLabel() {
			has += " " + l.GetName() + "=" + l.GetValue() + " "
		}
		matches := true
		for _, want := range labels {
			matches = matches && strings.Contains(has, " "+want+" ")
		}
		if matches {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return total
}

// Every counter of the engine has a help text, and none is left from a counter that is gone.
func TestEveryCounterIsDescribed(t *testing.T) {
	fields := stats.Fields(engine.Counters{})
	for _, f := range fields {
		if counterHelp[f.Name] == "" {
			t.Errorf("engine.Counters.%s has no help in counterHelp", f.Name)
		}
	}
	if len(counterHelp) != len(fields) {
		t.Errorf("counterHelp has %d texts for %d counters", len(counterHelp), len(fields))
	}
}

func TestEveryCounterIsExported(t *testing.T) {
	r := launch(t, engine.Config{Workers: 2})
	families := r.scrape()
	for _, f := range stats.Fields(engine.Counters{}) {
		name := metricPrefix + snake(f.Name) + "_total"
		if got := len(families[name].GetMetric()); got != 2 {
			t.Errorf("%s: got %d metrics, want one for each of 2 workers", name, got)
		}
	}
	for _, m := range metrics {
		if families[metricPrefix+m.name] == nil {
			t.Errorf("%s%s is not exported", metricPrefix, m.name)
		}
	}
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total"} {
		if families[name] == nil {
			t.Errorf("%s is not exported", name)
		}
	}
}

func TestEveryMetricHasHelp(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	if err := r.stack.AddGauge("echo", "rooms_open", "Rooms that are open.", func() float64 { return 3 }); err != nil {
		t.Fatal(err)
	}
	for name, family := range r.scrape() {
		if family.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
		counter := family.GetType() == dto.MetricType_COUNTER
		if strings.HasPrefix(name, metricPrefix) && counter != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %v: counters, and they alone, end in _total", name, family.GetType())
		}
	}
}

// The metrics of all workers add up to what /status says, and both to what the clients did.
func TestMetricsAgreeWithStatus(t *testing.T) {
	r := launch(t, engine.Config{Workers: 2})
	const clients, packets = 4, 5
	for i := range clients {
		c := r.dial()
		for range packets {
			c.echoed(7, "hello")
		}
		if i%2 == 0 {
			c.Close()
		}
	}
	eventually(t, "all is counted and half of the clients have left", func() bool {
		total := r.srv.Status().Total
		return total.SentBytes == clients*packets*9 && total.Leaves == clients/2
	})
	families := r.scrape()
	var status Status
	r.getJSON("/status", &status)
	one := status.Servers[0]
	for _, c := range []struct {
		metric string
		labels []string
		shown  uint64
		want   uint64
	}{
		{"recv_packets_total", nil, one.Counters.RecvPackets, clients * packets},
		{"sent_packets_total", nil, one.Counters.SentPackets, clients * packets},
		{"recv_bytes_total", nil, one.Counters.RecvBytes, clients * packets * 9},
		{"sent_bytes_total", nil, one.Counters.SentBytes, clients * packets * 9},
		{"accepts_total", nil, one.Counters.Accepts, clients},
		{"sessions", nil, uint64(one.Sessions), clients / 2},
		{"close_reasons_total", nil, one.CloseReasons["peer_closed"], clients / 2},
		{"close_reasons_total", []string{"reason=peer_closed"}, one.Counters.Closed, clients / 2},
		{"refusals_total", nil, one.Refusals["refused_full"], 0},
		{"sessions_limit", nil, uint64(one.Limit), 10_000},
	} {
		got := sum(families[metricPrefix+c.metric], append(c.labels, "server=echo")...)
		if got != float64(c.want) || c.shown != c.want {
			t.Errorf("%s %v: metric %v, /status %d, want %d", c.metric, c.labels, got, c.shown, c.want)
		}
	}
}

func TestDurationIsAHistogram(t *testing.T) {
	recorded(t)
	r := launch(t, engine.Config{Workers: 1})
	c := r.dial()
	for range 9 {
		c.echoed(7, "hello")
	}
	eventually(t, "durations are published", func() bool { return r.srv.Status().Duration.Count == 9 })
	h := r.scrape()["vitrine_packet_duration_seconds"].GetMetric()[0].GetHistogram()
	buckets := h.GetBucket()
	if len(buckets) != len(durationBounds)+1 || buckets[0].GetUpperBound() != 1e-6 || buckets[len(durationBounds)-1].GetUpperBound() != 1 {
		t.Errorf("buckets: got %v, want 1 us to 1 s and infinity", buckets)
	}
	if h.GetSampleCount() != 9 || h.GetSampleSum() <= 0 || buckets[len(durationBounds)].GetCumulativeCount() != 9 {
		t.Errorf("got %v, want 9 packets", h)
	}
}

func TestGauges(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	three := func() float64 { return 3 }
	for _, c := range []struct {
		server, name, help string
		read               func() float64
		ok                 bool
	}{
		{"echo", "rooms_open", "Rooms that are open.", three, true},
		{"other", "rooms_open", "Another text.", three, true},
		{"echo", "rooms_open", "Rooms that are open.", three, false},
		{"echo", "Rooms", "Upper case.", three, false},
		{"echo", "", "No name.", three, false},
		{"echo", "players", "", three, false},
		{"echo", "players", "No function.", nil, false},
		{"echo", "sessions", "Taken.", three, false},
		{"echo", "recv_bytes_total", "Taken.", three, false},
	} {
		if err := r.stack.AddGauge(c.server, c.name, c.help, c.read); (err == nil) != c.ok {
			t.Errorf("gauge %q of %q: got %v, want ok %v", c.name, c.server, err, c.ok)
		}
	}
	if got := sum(r.scrape()["vitrine_rooms_open"], "server=echo"); got != 3 {
		t.Errorf("metric: got %v, want 3", got)
	}
	if got := r.stack.Status().Servers[0].Gauges["rooms_open"]; got != 3 {
		t.Errorf("status: got %v, want 3", got)
	}
}
