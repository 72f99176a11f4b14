package observe

import (
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"vitrine/core/engine"
	"vitrine/core/stats"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricPrefix begins the name of every metric of ours.
const metricPrefix = "vitrine_"

// durationBounds are the upper bounds of the buckets of vitrine_packet_duration_seconds, in nanoseconds: 1 us to 1 s.
var durationBounds = []uint64{
	1e3, 2e3, 5e3, 10e3, 20e3, 50e3, 100e3, 200e3, 500e3,
	1e6, 2e6, 5e6, 10e6, 20e6, 50e6, 100e6, 200e6, 500e6, 1e9,
}

// metricsHandler returns the page in Prometheus text: the process, the Go runtime, and the stack.
func (st *Stack) metricsHandler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newCollector(st))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(st.log.Handler(), slog.LevelError),
		MaxRequestsInFlight: 4,
		Timeout:             readTimeout,
	})
}

// collector reads the figures of the stack's servers when Prometheus asks. Nothing is counted here, so that nothing runs
// per packet and the figures are those of /status.
type collector struct {
	stack    *Stack                      // fixed, like all of it
	counters map[string]*prometheus.Desc // by field of engine.Counters
	descs    map[string]*prometheus.Desc // the others, by name without prefix
}

// metric describes one that is not a field of engine.Counters.
type metric struct {
	name, help string
	labels     []string
}

var metrics = []metric{
	{"build_info", "What the process was built from; always 1.", []string{"version", "revision", "go"}},
	{"ready", "1 while the servers take sessions, 0 while they start or drain.", nil},
	{"log_records_total", "Records that the system log accepted.", nil},
	{"log_dropped_total", "Records that the system log did not take, by level.", []string{"level"}},
	{"log_waits_total", "Calls that waited for room in the system log's ring.", nil},
	{"log_errors_total", "Writes and syncs of the system log's files that failed.", nil},
	{"log_ring_records", "Records that are not in a file yet.", nil},
	{"log_ring_capacity", "Records that the system log's ring has room for.", nil},
	{"log_failing", "1 while the system log's files cannot be written, or could not be opened.", nil},
	{"log_held_back_total", "Log lines that the rate limit held back.", []string{"server", "type", "message"}},
	{"log_exported_total", "Log lines that the collector took.", nil},
	{"log_export_lost_total", "Log lines for the collector that found its queue full or that it did not take.", nil},
	{"crash_capability", "What this machine lets the crash capture do; 1 = yes.", []string{"name"}},
	{"crash_monitors", "Processes that watch over this one; 2 when all is well.", nil},
	{"crash_panics_total", "Panics caught.", nil},
	{"crash_held_back_total", "Panics that were counted and not reported, being one of many.", nil},
	{"crash_bundles_total", "Bundles written while the process lives.", nil},
	{"crash_lost_total", "Reports of crashes that could not be made.", nil},
	{"crash_huge_pages_total", "Pages of 2 MiB that memory was moved to.", nil},
	{"sessions", "Sessions at the moment.", []string{"server", "worker"}},
	{"sessions_limit", "The most sessions at once.", []string{"server"}},
	{"draining", "1 while the server stops.", []string{"server"}},
	{"queue_depth", "Commands from other goroutines that wait for the worker.", []string{"server", "worker"}},
	{"close_reasons_total", "Sessions ended, by reason.", []string{"server", "reason"}},
	{"refusals_total", "Connections turned away before a session existed, by refusal.", []string{"server", "refusal"}},
	{"full_queues_total", "Commands refused because a worker's queue was full.", []string{"server"}},
	{"refused_sends_total", "Packets that SendPacket and Broadcast refused, each delivery counted.", []string{"server"}},
	{"unkept_total", "Sessions that ended abnormally and whose records were not kept, for they were too many.", []string{"server"}},
	{"pool_capacity", "Slots that the pool may have.", []string{"server", "pool"}},
	{"pool_allocated", "Slots that the pool has memory for.", []string{"server", "pool"}},
	{"pool_in_use", "Slots in use.", []string{"server", "pool"}},
	{"pool_cached", "Free slots of the pool that the worker holds ready.", []string{"server", "worker", "pool"}},
	{"pool_exhausted_total", "Requests that the pool refused because it was at its capacity.", []string{"server", "pool"}},
	{"packet_duration_seconds", "Time a packet's handling took: its equal share of the time of its group of packets.", []string{"server"}},
}

// counterHelp says what each field of engine.Counters counts. The metric of RecvBytes is vitrine_recv_bytes_total.
var counterHelp = map[string]string{
	"Turns":          "Times around the worker's loop.",
	"Events":         "Readiness events of sockets.",
	"Accepts":        "Connections accepted, refused ones included.",
	"AcceptErrors":   "Accept calls that failed.",
	"AcceptPauses":   "Times accepting paused for want of a resource.",
	"Joins":          "Sessions that joined: OnClientJoin calls.",
	"Leaves":         "Sessions that left after they had joined: OnClientLeave calls.",
	"Closed":         "Sessions ended, joined or not.",
	"RecvCalls":      "Read system calls.",
	"RecvBytes":      "Bytes read.",
	"RecvPackets":    "Packets received and handled.",
	"SendCalls":      "Write system calls.",
	"SendBlocked":    "Writes that the kernel had no room for.",
	"SentBytes":      "Bytes that the kernel took.",
	"SentPackets":    "Packets accepted for sending.",
	"QueuedBytes":    "Bytes of frames accepted for sending.",
	"DroppedPackets": "Droppable packets dropped at the send limit.",
	"UnsentPackets":  "Packets that were never written: their session left or was closed at its limit.",
	"UnsentBytes":    "Bytes of frames that were never written.",
	"PartialFrames":  "Reads that ended within a frame.",
	"BudgetStops":    "Times a session stopped at its receive budget.",
	"BadFrames":      "Frames that could not be read; each ends its session.",
	"Commands":       "Commands taken from other goroutines.",
	"Panics":         "Panics caught.",
}

func newCollector(st *Stack) *collector {
	c := &collector{stack: st, counters: map[string]*prometheus.Desc{}, descs: map[string]*prometheus.Desc{}}
	for _, f := range stats.Fields(engine.Counters{}) {
		name := metricPrefix + snake(f.Name) + "_total"
		c.counters[f.Name] = prometheus.NewDesc(name, counterHelp[f.Name], []string{"server", "worker"}, nil)
	}
	for _, m := range metrics {
		c.descs[m.name] = prometheus.NewDesc(metricPrefix+m.name, m.help, m.labels, nil)
	}
	return c
}

// isMetric reports whether the name, without prefix, is one of ours.
func isMetric(name string) bool {
	for _, f := range stats.Fields(engine.Counters{}) {
		if name == snake(f.Name)+"_total" {
			return true
		}
	}
	return slices.ContainsFunc(metrics, func(m metric) bool { return m.name == name })
}

// Describe says nothing: servers and their gauges come while the process runs.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads every figure. The registry calls it, several times at once if asked by several.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	b := c.stack.build
	ready := c.stack.State() == StateReady
	c.gauge(out, "build_info", 1, b.Version, b.Revision, b.Go)
	c.gauge(out, "ready", number(ready))
	c.collectLog(out)
	c.collectCrash(out)
	for _, s := range c.stack.added() {
		c.collectServer(out, s.name, s.engine.Status())
	}
	c.collectGauges(out)
}

func (c *collector) collectLog(out chan<- prometheus.Metric) {
	s := c.stack.logStatus()
	c.count(out, "log_records_total", s.Records)
	for level, n := range s.Dropped {
		c.count(out, "log_dropped_total", n, level)
	}
	c.count(out, "log_waits_total", s.Waits)
	c.count(out, "log_errors_total", s.Errors)
	c.gauge(out, "log_ring_records", float64(s.Ring))
	c.gauge(out, "log_ring_capacity", float64(s.RingCap))
	c.gauge(out, "log_failing", number(s.Failing))
	for _, l := range c.stack.addedLimiters() {
		c.count(out, "log_held_back_total", l.total(), l.server, l.typ, l.message)
	}
	export := s.Export
	if export == nil {
		export = new(ExportStatus)
	}
	c.count(out, "log_exported_total", export.Sent)
	c.count(out, "log_export_lost_total", export.Lost)
}

func (c *collector) collectCrash(out chan<- prometheus.Metric) {
	process := c.stack.capture.process
	s := process.Stats()
	c.gauge(out, "crash_monitors", float64(s.Monitors))
	c.count(out, "crash_panics_total", s.Panics)
	c.count(out, "crash_held_back_total", s.HeldBack)
	c.count(out, "crash_bundles_total", s.Bundles)
	c.count(out, "crash_lost_total", s.Lost)
	c.count(out, "crash_huge_pages_total", s.Moved)
	c.gauge(out, "crash_capability", number(process != nil), "capture")
	if process == nil {
		return
	}
	for name, value := range process.Capabilities().Values() {
		c.gauge(out, "crash_capability", value, name)
	}
}

func (c *collector) collectServer(out chan<- prometheus.Metric, name string, s engine.Status) {
	c.gauge(out, "sessions_limit", float64(s.Limit), name)
	c.gauge(out, "draining", number(s.Draining), name)
	c.count(out, "full_queues_total", s.FullQueues, name)
	c.count(out, "refused_sends_total", s.RefusedSends, name)
	c.count(out, "unkept_total", s.Unkept, name)
	for _, reason := range engine.Reasons() {
		c.count(out, "close_reasons_total", s.Reasons[reason.String()], name, reason.String())
	}
	for _, refusal := range engine.Refusals() {
		c.count(out, "refusals_total", s.Refusals[refusal.String()], name, refusal.String())
	}
	for i, w := range s.Workers {
		c.collectWorker(out, name, strconv.Itoa(i), w)
	}
	for _, p := range pools(s) {
		c.gauge(out, "pool_capacity", float64(p.Capacity), name, p.Name)
		c.gauge(out, "pool_allocated", float64(p.Allocated), name, p.Name)
		c.gauge(out, "pool_in_use", float64(p.InUse), name, p.Name)
		c.count(out, "pool_exhausted_total", p.Exhausted, name, p.Name)
	}
	c.collectDuration(out, name, &s.Duration)
}

func (c *collector) collectWorker(out chan<- prometheus.Metric, server, worker string, w engine.WorkerStatus) {
	c.gauge(out, "sessions", float64(w.Sessions), server, worker)
	c.gauge(out, "queue_depth", float64(w.Queue), server, worker)
	for pool, slots := range cachedBy(w.Cached) {
		c.gauge(out, "pool_cached", float64(slots), server, worker, pool)
	}
	for _, f := range stats.Fields(w.Counters) {
		out <- prometheus.MustNewConstMetric(c.counters[f.Name], prometheus.CounterValue, float64(f.Value), server, worker)
	}
}

func (c *collector) collectDuration(out chan<- prometheus.Metric, server string, s *stats.Snapshot) {
	buckets := make(map[float64]uint64, len(durationBounds))
	for i, n := range s.Cumulative(durationBounds) {
		buckets[float64(durationBounds[i])/1e9] = n
	}
	out <- prometheus.MustNewConstHistogram(c.descs["packet_duration_seconds"], s.Count, float64(s.Sum)/1e9, buckets, server)
}

// collectGauges reads the servers' own figures.
func (c *collector) collectGauges(out chan<- prometheus.Metric) {
	for _, g := range c.stack.addedGauges() {
		desc := prometheus.NewDesc(metricPrefix+g.name, g.help, []string{"server"}, nil)
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, g.read(), g.server)
	}
}

func (c *collector) gauge(out chan<- prometheus.Metric, name string, value float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(c.descs[name], prometheus.GaugeValue, value, labels...)
}

func (c *collector) count(out chan<- prometheus.Metric, name string, value uint64, labels ...string) {
	out <- prometheus.MustNewConstMetric(c.descs[name], prometheus.CounterValue, float64(value), labels...)
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
