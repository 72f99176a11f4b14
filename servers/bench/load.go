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
	Codec  string         `default:"lan" enum:"lan,classic,sealed" help:"Frame format: lan, classic, sealed."`
	JSON   bool           `name:"json" help:"Print one JSON line."`

	Gathered bool `help:"The server's frames hold several answers each (vitrine-gather)."`
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
	g, err := newGenerator(shape{c.Conns, c.Depth, c.Size, c.Codec, c.Gathered})
	if err != nil {
		return loadResult{}, err
	}
	defer g.close()
	start, err := c.resident()
	if err != nil {
		return loadResult{}, err
	}
	if err = g.connect(c.Addr); err != nil {
		return loadResult{}, err
	}
	settle(c.PID, c.Conns)
	idle, err := c.resident()
	if err != nil {
		return loadResult{}, err
	}
	if _, err = g.run(c.Warmup); err != nil {
		return loadResult{}, err
	}
	m, err := meterSlice(g, c.PID, c.Time)
	if err != nil {
		return loadResult{}, err
	}
	r := m.result(g.shape)
	end, err := c.resident()
	r.resident(start, idle, end)
	return r, err
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

// result puts CPU, rate and latency of a slice in figures.
func (m metered) result(s shape) loadResult {
	count, seconds := float64(m.messages), m.elapsed.Seconds()
	return loadResult{
		Conns: s.conns, Depth: s.depth, Size: s.size,
		Seconds: seconds, Messages: m.messages, MessagesPerSecond: count / seconds,
		P50: micros(m.latency.quantile(.5)), P99: micros(m.latency.quantile(.99)),
		P999: micros(m.latency.quantile(.999)), Longest: micros(m.latency.longest),
		ServerCPU: micros(m.server) / count, ServerBusy: m.server.Seconds() / seconds,
		LoadCPU: micros(m.load) / count, LoadBusy: m.load.Seconds() / seconds,
	}
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
