package observe

import (
	"time"

	"vitrine/core/engine"
)

// Rates are taken over the window: samples of the last windowSize - 1 sample intervals.
const (
	sampleInterval = time.Second
	windowSize     = 6
)

// Rates are figures per second over the last five seconds, or since the server was added while that is less.
type Rates struct {
	PacketsIn  float64 `json:"packets_in_per_second"`
	PacketsOut float64 `json:"packets_out_per_second"`
	BytesIn    float64 `json:"bytes_in_per_second"`
	BytesOut   float64 `json:"bytes_out_per_second"`
	Accepts    float64 `json:"accepts_per_second"`
}

func (r *Rates) add(o Rates) {
	r.PacketsIn += o.PacketsIn
	r.PacketsOut += o.PacketsOut
	r.BytesIn += o.BytesIn
	r.BytesOut += o.BytesOut
	r.Accepts += o.Accepts
}

// sample is a server's counters at one moment.
type sample struct {
	at      time.Time
	total   engine.Counters
	workers []engine.Counters
}

// window holds a server's last samples, oldest first, at most windowSize.
type window struct {
	samples []sample
}

func (w *window) add(at time.Time, status engine.Status) {
	s := sample{at: at, total: status.Total}
	for _, worker := range status.Workers {
		s.workers = append(s.workers, worker.Counters)
	}
	if len(w.samples) == windowSize {
		w.samples = append(w.samples[:0], w.samples[1:]...)
	}
	w.samples = append(w.samples, s)
}

// ends returns the first and the last sample and the seconds between them; 0 while there is only one.
func (w *window) ends() (first, last sample, seconds float64) {
	if len(w.samples) < 2 {
		return sample{}, sample{}, 0
	}
	first, last = w.samples[0], w.samples[len(w.samples)-1]
	return first, last, last.at.Sub(first.at).Seconds()
}

// total returns the server's rates.
func (w *window) total() Rates {
	first, last, seconds := w.ends()
	return ratesOf(first.total, last.total, seconds)
}

// worker returns one worker's rates. A worker that the first sample does not know began at zero.
func (w *window) worker(i int) Rates {
	first, last, seconds := w.ends()
	var from, to engine.Counters
	if i < len(first.workers) {
		from = first.workers[i]
	}
	if i < len(last.workers) {
		to = last.workers[i]
	}
	return ratesOf(from, to, seconds)
}

func ratesOf(from, to engine.Counters, seconds float64) Rates {
	if seconds <= 0 {
		return Rates{}
	}
	per := func(from, to uint64) float64 { return float64(to-from) / seconds }
	return Rates{
		PacketsIn:  per(from.RecvPackets, to.RecvPackets),
		PacketsOut: per(from.SentPackets, to.SentPackets),
		BytesIn:    per(from.RecvBytes, to.RecvBytes),
		BytesOut:   per(from.SentBytes, to.SentBytes),
		Accepts:    per(from.Accepts, to.Accepts),
	}
}

// sample takes a sample of every server each second until the stack is done, and says which limits were hit and what the log held
// back.
func (st *Stack) sample() {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for {
		select {
		case <-st.done:
			return
		case now := <-ticker.C:
			st.sampleAll(now)
			st.reportHeldBack()
		}
	}
}

func (st *Stack) sampleAll(now time.Time) {
	for _, s := range st.added() {
		status := s.engine.Status()
		st.mu.Lock()
		s.window.add(now, status)
		st.mu.Unlock()
		st.tellLimits(s, &status)
	}
}
