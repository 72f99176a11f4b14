package observe

import (
	"slices"
	"strconv"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"
	"vitrine/core/pool"
	"vitrine/core/stats"
)

// The states of a stack.
const (
	StateStarting = "starting" // no server was added yet
	StateReady    = "ready"
	StateDraining = "draining" // the end was ordered, or a server is stopping
)

// Status is everything /status shows, at one moment. Figures of different servers are of slightly different moments.
type Status struct {
	State     string         `json:"state"` // one of StateStarting, StateReady, StateDraining
	Build     Build          `json:"build"`
	Boot      string         `json:"boot"` // the id of this run of the process, decimal
	StartedAt time.Time      `json:"started_at"`
	Uptime    float64        `json:"uptime_seconds"`
	Log       LogStatus      `json:"log"`
	Crash     CrashStatus    `json:"crash"`
	Total     TotalStatus    `json:"total"`   // all servers together
	Servers   []ServerStatus `json:"servers"` // in the order in which they were added
}

// Figures are what is counted of a worker, of a server and in all.
type Figures struct {
	Sessions int      `json:"sessions"`
	Limit    int      `json:"limit,omitempty"` // the most sessions; 0 for a worker, which has no limit of its own
	Queue    int      `json:"queue"`           // commands from other goroutines that wait
	Rates    Rates    `json:"rates"`
	Counters Counters `json:"counters"` // since the start

	CloseReasons map[string]uint64 `json:"close_reasons"` // sessions ended, by reason
}

// TotalStatus is what all servers come to together.
type TotalStatus struct {
	Figures
	Pools []PoolStatus `json:"pools"` // by name, those of all servers together, without the caches
}

// WorkerStatus is one worker's part of a ServerStatus. Slots in use are nobody's in particular: one worker takes them, another
// may put them back.
type WorkerStatus struct {
	Figures
	Cached map[string]int `json:"cached"` // free slots that it holds ready, by pool
}

// ServerStatus is one server's part of a Status.
type ServerStatus struct {
	Name     string `json:"name"`
	Addr     string `json:"addr"`
	Draining bool   `json:"draining"`
	Figures
	Workers      []WorkerStatus     `json:"workers"`
	Refusals     map[string]uint64  `json:"refusals"`    // connections refused, by refusal
	FullQueues   uint64             `json:"full_queues"` // commands refused by a worker's full queue
	RefusedSends uint64             `json:"refused_sends"`
	Unkept       uint64             `json:"unkept"` // abnormal ends whose records were not kept, for they were too many
	Pools        []PoolStatus       `json:"pools"`
	Duration     Duration           `json:"packet_duration"`
	Gauges       map[string]float64 `json:"gauges,omitempty"`
}

// PoolStatus is the use of one pool, in slots.
type PoolStatus struct {
	Name      string `json:"name"` // packets, output or partial
	Capacity  uint64 `json:"capacity"`
	Allocated uint64 `json:"allocated"`
	InUse     uint64 `json:"in_use"`
	Exhausted uint64 `json:"exhausted"` // requests refused
	Cached    []int  `json:"cached"`    // slots that each cache holds ready; the first is that of goroutines other than workers
}

// Duration is the distribution of the time a packet's handling took, in nanoseconds; relative error 1/16.
type Duration struct {
	Count uint64 `json:"count"`
	Mean  uint64 `json:"mean_ns"`
	P50   uint64 `json:"p50_ns"`
	P90   uint64 `json:"p90_ns"`
	P99   uint64 `json:"p99_ns"`
	P999  uint64 `json:"p999_ns"`
	Max   uint64 `json:"max_ns"`
}

// Status returns the figures of the process. Any goroutine, also after Run, when they are the last ones; rates are of the
// last sample, which is up to a second old.
func (st *Stack) Status() Status {
	status := Status{
		State: st.State(), Build: st.build, Boot: strconv.FormatUint(st.boot, 10),
		StartedAt: st.started, Uptime: time.Since(st.started).Seconds(), Log: st.logStatus(),
		Crash:   st.capture.status(),
		Servers: []ServerStatus{},
		Total:   TotalStatus{Figures: Figures{CloseReasons: map[string]uint64{}}, Pools: []PoolStatus{}},
	}
	for _, s := range st.added() {
		one := st.serverStatus(s)
		status.Servers = append(status.Servers, one)
		status.Total.add(one)
	}
	return status
}

// State returns where the stack is in its life: one of StateStarting, StateReady, StateDraining.
func (st *Stack) State() string {
	servers := st.added()
	stopping := func(s *server) bool { return s.engine.Draining() }
	switch {
	case st.draining.Load() || slices.ContainsFunc(servers, stopping):
		return StateDraining
	case len(servers) == 0:
		return StateStarting
	}
	return StateReady
}

func (f *Figures) add(o Figures) {
	f.Sessions += o.Sessions
	f.Limit += o.Limit
	f.Queue += o.Queue
	f.Rates.add(o.Rates)
	f.Counters = Counters(stats.Sum(engine.Counters(f.Counters), engine.Counters(o.Counters)))
	for reason, n := range o.CloseReasons {
		f.CloseReasons[reason] += n
	}
}

func (t *TotalStatus) add(s ServerStatus) {
	t.Figures.add(s.Figures)
	for _, p := range s.Pools {
		i := slices.IndexFunc(t.Pools, func(sum PoolStatus) bool { return sum.Name == p.Name })
		if i < 0 {
			i = len(t.Pools)
			t.Pools = append(t.Pools, PoolStatus{Name: p.Name, Cached: []int{}})
		}
		t.Pools[i].add(p)
	}
}

func (p *PoolStatus) add(o PoolStatus) {
	p.Capacity += o.Capacity
	p.Allocated += o.Allocated
	p.InUse += o.InUse
	p.Exhausted += o.Exhausted
}

func (st *Stack) serverStatus(s *server) ServerStatus {
	from := s.engine.Status()
	status := ServerStatus{
		Name: s.name, Addr: from.Addr, Draining: from.Draining,
		Figures:    Figures{Sessions: from.Sessions, Limit: from.Limit, Counters: Counters(from.Total), CloseReasons: from.Reasons},
		Refusals:   from.Refusals,
		FullQueues: from.FullQueues, RefusedSends: from.RefusedSends, Unkept: from.Unkept,
		Pools: pools(from), Duration: durationOf(&from.Duration), Gauges: st.gaugesOf(s.name),
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	status.Rates = s.window.total()
	for i, w := range from.Workers {
		status.Queue += w.Queue
		status.Workers = append(status.Workers, WorkerStatus{
			Figures: Figures{
				Sessions: w.Sessions, Queue: w.Queue, Rates: s.window.worker(i), Counters: Counters(w.Counters), CloseReasons: w.Reasons,
			},
			Cached: cachedBy(w.Cached),
		})
	}
	return status
}

// pools returns the use of a server's pools.
func pools(from engine.Status) []PoolStatus {
	return []PoolStatus{
		packetPool(from.Packets),
		slotPool(outputPoolName, from.Output),
		slotPool(partialPoolName, from.Partial),
	}
}

// cachedBy returns the free slots that a worker holds ready, by the names of the pools.
func cachedBy(c engine.Cached) map[string]int {
	return map[string]int{packetPoolName: c.Packets, outputPoolName: c.Output, partialPoolName: c.Partial}
}

// The names of a server's pools.
const (
	packetPoolName  = "packets"
	outputPoolName  = "output"
	partialPoolName = "partial"
)

func packetPool(s packet.Stats) PoolStatus {
	return PoolStatus{packetPoolName, s.Capacity, s.Allocated, s.InUse, s.Exhausted, s.Cached}
}

func slotPool(name string, s pool.Stats) PoolStatus {
	return PoolStatus{name, s.Capacity, s.Allocated, s.InUse, s.Exhausted, s.Cached}
}

func durationOf(s *stats.Snapshot) Duration {
	return Duration{
		Count: s.Count, Mean: s.Sum / max(s.Count, 1), P50: s.Quantile(0.5), P90: s.Quantile(0.9),
		P99: s.Quantile(0.99), P999: s.Quantile(0.999), Max: s.Max,
	}
}

// gaugesOf reads the figures of a server's own, nil when it has none.
func (st *Stack) gaugesOf(server string) map[string]float64 {
	var values map[string]float64
	for _, g := range st.addedGauges() {
		if g.server != server {
			continue
		}
		if values == nil {
			values = map[string]float64{}
		}
		values[g.name] = g.read()
	}
	return values
}

// addedGauges returns the gauges so far. They are read without the lock: what they call is not ours.
func (st *Stack) addedGauges() []gauge {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.gauges)
}
