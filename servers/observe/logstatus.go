package observe

import "vitrine/logx/record"

// LogStatus is what /status says of the system log. Without files it is all zeros, and Error says why where some were
// asked for.
type LogStatus struct {
	Dir      string            `json:"dir"` // "" = no files
	Error    string            `json:"error,omitempty"`
	First    uint64            `json:"first_index,string"` // index of the first record since the process started
	Next     uint64            `json:"next_index,string"`  // index of the next record
	Written  uint64            `json:"written,string"`     // last index that is in a file
	Synced   uint64            `json:"synced,string"`      // last index that is known to be on the device
	Records  uint64            `json:"records"`            // accepted since the process started
	Dropped  map[string]uint64 `json:"dropped"`            // records not taken, by level
	Waits    uint64            `json:"waits"`              // calls that waited for room in the ring
	Ring     int               `json:"ring"`               // records that are not in a file yet
	RingCap  int               `json:"ring_capacity"`
	Errors   uint64            `json:"errors"`    // writes and syncs that failed
	Failing  bool              `json:"failing"`   // the files cannot be written now, or could not be opened
	HeldBack uint64            `json:"held_back"` // lines about packets, connections and panics beyond ten a second
	Export   *ExportStatus     `json:"export,omitempty"`
}

// ExportStatus is what /status says of the export to a collector.
type ExportStatus struct {
	Collector string `json:"collector"`
	Waiting   int64  `json:"waiting"`
	Sent      uint64 `json:"sent"`
	Lost      uint64 `json:"lost"`    // dropped at the full queue, or not taken by the collector
	Failing   bool   `json:"failing"` // the last request failed
}

// logStatus reads the figures of the log.
func (st *Stack) logStatus() LogStatus {
	s := LogStatus{HeldBack: st.heldBack(), Dropped: map[string]uint64{}}
	st.journal.fill(&s)
	return s
}

// fill adds what the journal knows.
func (j *journal) fill(s *LogStatus) {
	s.Dir, s.Export = j.dir, j.exporter.status()
	if j.broken != nil {
		s.Error, s.Failing = j.broken.Error(), true
	}
	for level := record.Debug; level <= record.System; level++ {
		s.Dropped[level.String()] = 0
	}
	if j.file == nil {
		return
	}
	now := j.file.Stats()
	s.First, s.Next, s.Written, s.Synced, s.Records = j.first, now.Next, now.Written, now.Synced, now.Next-j.first
	s.Waits, s.Ring, s.RingCap, s.Errors, s.Failing = now.Waits, now.Ring, now.RingCap, now.Errors, now.Failing
	for level := record.Debug; level <= record.System; level++ {
		s.Dropped[level.String()] = now.Dropped[level]
	}
}

// status returns the export's figures, nil when there is none.
func (e *exporter) status() *ExportStatus {
	if e == nil {
		return nil
	}
	return &ExportStatus{
		Collector: e.url.String(), Waiting: e.waiting.Load(), Sent: e.sent.Load(), Lost: e.lost.Load(), Failing: e.failing.Load(),
	}
}
