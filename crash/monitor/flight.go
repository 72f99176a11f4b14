package monitor

import (
	"path/filepath"
	"strconv"
	"time"

	"vitrine/core/flight"
	"vitrine/crash/bundle"
)

// worker is what flight.json holds of one recorder.
type worker struct {
	Server    string          `json:"server"`
	Worker    uint16          `json:"worker"`
	Zero      time.Time       `json:"zero"` // the moment of stamp 0
	Torn      int             `json:"torn,omitempty"`
	Packets   []flight.Record `json:"packets"`
	Lifecycle []flight.Record `json:"lifecycle"`
}

// readFlight reads the records that the server's recorders left, once. Those of a server that goes on are soon overwritten.
func (r *report) readFlight() {
	if r.workers != nil {
		return
	}
	paths, _ := filepath.Glob(filepath.Join(r.setup.RunDir, "*.flight")) // the pattern is well formed
	r.workers = make([]worker, 0, len(paths))
	for _, path := range paths {
		f, err := flight.OpenFile(path)
		if err != nil {
			r.problem("read "+filepath.Base(path), err)
			continue
		}
		r.workers = append(r.workers, worker{f.Name, f.Worker, f.Zero, f.Torn, f.Packets, f.Lifecycle})
		r.open(f)
	}
	if r.meta.Handled {
		shorten(r.workers, &r.meta.Where)
	}
}

// fillFlight writes flight.json.
func (r *report) fillFlight(w *bundle.Writer) {
	r.readFlight()
	if len(r.workers) > 0 {
		r.putJSON(w, "flight.json", r.workers)
	}
}

// open takes the packet that the worker of the death had in hand.
func (r *report) open(f *flight.File) {
	where := &r.meta.Where
	if r.meta.Handled || len(f.Packets) == 0 || where.Server != f.Name || where.Session != "" {
		return
	}
	last := f.Packets[len(f.Packets)-1]
	if last.Flags&flight.FlagOpen != 0 {
		where.Session, where.Packet = strconv.FormatUint(last.Session, 10), last.Type
	}
}

// The records that a bundle of a handled panic holds, of which there may be many: of all recorders together the last, half of
// them of the worker that panicked, where one did, and as many again of its session. Other bundles hold all there are.
const (
	handledPackets   = 1024
	handledLifecycle = 256
)

// shorten leaves what a bundle of a handled panic holds.
func shorten(workers []worker, where *bundle.Where) {
	session, _ := strconv.ParseUint(where.Session, 10, 64) // 0 is none
	for i := range workers {
		w := &workers[i]
		parts, own := 2*len(workers), uint64(0)
		if w.Server == where.Server && int(w.Worker) == where.Worker {
			parts, own = 2, session
		}
		w.Packets = latest(w.Packets, handledPackets/parts, own)
		w.Lifecycle = latest(w.Lifecycle, handledLifecycle/parts, own)
	}
}

// latest returns the last n records, and before them as many as that of a session, 0 = none. It may change the records.
func latest(records []flight.Record, n int, session uint64) []flight.Record {
	first := max(len(records)-n, 0)
	kept := first
	for i := first - 1; i >= 0 && session != 0 && first-kept < n; i-- {
		if records[i].Session == session {
			kept--
			records[kept] = records[i]
		}
	}
	return records[kept:]
}
