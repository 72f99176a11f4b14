//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"time"
)

// loadCommand drives one server.
type loadCommand struct {
	Addr   netip.AddrPort `required:"" help:"The server."`
	PID    int            `name:"pid" help:"The server's process, for its CPU and memory."`
	Conns  int            `default:"1000" help:"Connections."`
	Depth  int            `default:"16" help:"Messages in flight on each."`
	Size   int            `default:"32" help:"Bytes of payload, 12 to 65535."`
	Time   time.Duration  `default:"5s" help:"How long to measure."`
	Warmup time.Duration  `default:"1s" help:"How long to run before that."`
	JSON   bool           `name:"json" help:"Print one JSON line."`
}

// Run connects, warms up, measures and prints one line.
func (c *loadCommand) Run() error {
	if err := raiseFileLimit(); err != nil {
		return err
	}
	result, err := c.measure()
	if err != nil {
		return fmt.Errorf("load %v: %w", c.Addr, err)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	fmt.Printf("%+v\n", result)
	return nil
}

func (c *loadCommand) measure() (loadResult, error) {
	g, err := newGenerator(shape{c.Conns, c.Depth, c.Size})
	if err != nil {
		return loadResult{}, err
	}
	defer g.close()
	r := loadResult{Conns: c.Conns, Depth: c.Depth, Size: c.Size}
	if r.StartBytes, err = c.resident(); err != nil {
		return r, err
	}
	if err = g.connect(c.Addr); err != nil {
		return r, err
	}
	settle(c.PID, c.Conns)
	if r.IdleBytes, err = c.resident(); err != nil {
		return r, err
	}
	if _, err = g.run(c.Warmup); err != nil {
		return r, err
	}
	if err = c.timed(g, &r); err != nil {
		return r, err
	}
	r.EndBytes, err = c.resident()
	r.IdlePerConn = float64(r.IdleBytes-r.StartBytes) / float64(c.Conns)
	r.EndPerConn = float64(r.EndBytes-r.StartBytes) / float64(c.Conns)
	return r, err
}

// timed runs the measured part and fills in CPU, rate and latency.
func (c *loadCommand) timed(g *generator, r *loadResult) error {
	cost, err := meterSlice(g, c.PID, c.Time)
	if err != nil {
		return err
	}
	count, elapsed := float64(cost.messages), cost.elapsed
	r.Messages, r.Seconds, r.MessagesPerSecond = cost.messages, elapsed.Seconds(), count/elapsed.Seconds()
	r.P50, r.P99 = micros(cost.latency.quantile(.5)), micros(cost.latency.quantile(.99))
	r.P999, r.Longest = micros(cost.latency.quantile(.999)), micros(cost.latency.longest)
	r.ServerCPU, r.ServerBusy = micros(cost.server)/count, cost.server.Seconds()/elapsed.Seconds()
	r.LoadCPU, r.LoadBusy = micros(cost.load)/count, cost.load.Seconds()/elapsed.Seconds()
	return nil
}

// resident returns the server's memory, 0 when its process is not known.
func (c *loadCommand) resident() (int64, error) {
	if c.PID == 0 {
		return 0, nil
	}
	return residentBytes(c.PID)
}

// metered is a slice with what it cost.
type metered struct {
	slice
	server, load time.Duration // CPU
}

// meterSlice runs a generator for d and reads the CPU clocks around it; pid 0
// leaves the server's out.
func meterSlice(g *generator, pid int, d time.Duration) (m metered, err error) {
	before, err := clocks(pid)
	if err != nil {
		return m, err
	}
	if m.slice, err = g.run(d); err != nil {
		return m, err
	}
	after, err := clocks(pid)
	m.server, m.load = after[0]-before[0], after[1]-before[1]
	return m, err
}

// clocks reads the CPU clocks of the server and of this process.
func clocks(pid int) (both [2]time.Duration, err error) {
	if pid != 0 {
		if both[0], err = cpuTime(pid); err != nil {
			return both, err
		}
	}
	both[1], err = cpuTime(0)
	return both, err
}

// Bounds on the wait for a server that still accepts.
const (
	settleLimit = 5 * time.Second
	settleStep  = 20 * time.Millisecond
	settleRest  = 300 * time.Millisecond
)

// settle waits until the server holds a descriptor for each connection, then a
// little longer for what it does after accept.
func settle(pid, conns int) {
	for until := time.Now().Add(settleLimit); pid != 0 && time.Now().Before(until); time.Sleep(settleStep) {
		if held, err := openFiles(pid); err != nil || held >= conns {
			break
		}
	}
	time.Sleep(settleRest)
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
