package main

// loadResult is what one load saw of one server.
type loadResult struct {
	Conns             int     `json:"conns"`
	Depth             int     `json:"depth"`
	Size              int     `json:"size"`
	Seconds           float64 `json:"seconds"`
	Messages          uint64  `json:"messages"`
	MessagesPerSecond float64 `json:"messages_per_second"`
	P50               float64 `json:"p50_us"`
	P99               float64 `json:"p99_us"`
	P999              float64 `json:"p999_us"`
	Longest           float64 `json:"max_us"`
	ServerCPU         float64 `json:"server_cpu_us"` // per message
	ServerBusy        float64 `json:"server_busy"`   // 1 = one core
	LoadCPU           float64 `json:"load_cpu_us"`
	LoadBusy          float64 `json:"load_busy"`
	StartBytes        int64   `json:"rss_start_bytes"` // resident, before connecting
	IdleBytes         int64   `json:"rss_idle_bytes"`  // all connected, nothing sent
	EndBytes          int64   `json:"rss_end_bytes"`
	IdlePerConn       float64 `json:"idle_bytes_per_conn"`
	EndPerConn        float64 `json:"end_bytes_per_conn"`
}

// resident fills in the server's memory: before connecting, connected, now.
func (r *loadResult) resident(start, idle, end int64) {
	r.StartBytes, r.IdleBytes, r.EndBytes = start, idle, end
	r.IdlePerConn = float64(idle-start) / float64(r.Conns)
	r.EndPerConn = float64(end-start) / float64(r.Conns)
}
