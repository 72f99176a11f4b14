package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseExternal reads the one line of key=value pairs an external generator
// prints. Keys that are not known are passed over.
func parseExternal(line string) (loadResult, error) {
	var r loadResult
	var conns, depth, size, messages, start, idle, end float64
	known := map[string]*float64{
		"conns": &conns, "depth": &depth, "size": &size, "msgs": &messages,
		"secs": &r.Seconds, "mps": &r.MessagesPerSecond,
		"p50": &r.P50, "p99": &r.P99, "p999": &r.P999, "max": &r.Longest,
		"srv_cpu_us": &r.ServerCPU, "srv_util": &r.ServerBusy,
		"gen_cpu_us": &r.LoadCPU, "gen_util": &r.LoadBusy,
		"rss0_kb": &start, "rss_idle_kb": &idle, "rss_end_kb": &end,
		"idle_b_conn": &r.IdlePerConn, "end_b_conn": &r.EndPerConn,
	}
	for _, pair := range strings.Fields(line) {
		key, text, _ := strings.Cut(pair, "=")
		into, ok := known[key]
		if !ok {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return r, fmt.Errorf("external load: %s: %w", key, err)
		}
		*into = value
	}
	if messages == 0 {
		return r, errors.New("external load: no messages in its output")
	}
	r.Conns, r.Depth, r.Size, r.Messages = int(conns), int(depth), int(size), uint64(messages)
	r.StartBytes, r.IdleBytes, r.EndBytes = int64(start)<<10, int64(idle)<<10, int64(end)<<10
	return r, nil
}
