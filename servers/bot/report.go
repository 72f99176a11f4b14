package bot

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what a swarm has seen so far, or in the end. It is a value;
// the counts only grow from one report of a run to the next. Package
// documentation says which column counts what.
type Report struct {
	Addr     string   `json:"addr"`
	Protocol Protocol `json:"protocol"`
	Codec    string   `json:"codec"`
	Bots     int      `json:"bots"`
	Online   int      `json:"online"`  // sessions open now
	Seconds  float64  `json:"seconds"` // since Run began

	Connects      uint64 `json:"connects"`       // TCP connections made
	ConnectErrors uint64 `json:"connect_errors"` // refused, or not answered within Timeout
	Sessions      uint64 `json:"sessions"`       // handshake done
	Unconnected   int    `json:"unconnected"`    // bots: see the package comment

	Sent              uint64 `json:"sent"`     // packets
	Received          uint64 `json:"received"` // packets, greetings aside
	Wrong             uint64 `json:"wrong"`
	Missing           uint64 `json:"missing"`
	ServerDisconnects uint64 `json:"server_disconnects"`
	Lost              uint64 `json:"lost"`
	Late              uint64 `json:"late"`

	// Chat: deliveries that had to come, deliveries that came and did not
	// have to, messages of accounts that are none of these bots.
	Required uint64 `json:"required,omitempty"`
	Optional uint64 `json:"optional,omitempty"`
	Foreign  uint64 `json:"foreign,omitempty"`

	// Round trips in microseconds: echo and move from request to result,
	// a chat message from its request to its sender's own copy.
	RTTp50  float64 `json:"rtt_p50_us"`
	RTTp99  float64 `json:"rtt_p99_us"`
	RTTp999 float64 `json:"rtt_p999_us"`
	RTTMax  float64 `json:"rtt_max_us"`

	CloseReasons map[string]uint64 `json:"close_reasons"`

	// Findings explains the first 16 of what was wrong, missing or closed,
	// after who stayed unconnected.
	Findings []string `json:"findings,omitempty"`
}

// OK reports whether nothing was wrong, missing or closed by the server,
// no bot stayed unconnected, and there was something to check. Connect
// errors alone are no fault: a bot that got in at its next attempt has
// lost nothing but time.
func (r Report) OK() bool { return r.Faults() == 0 && r.Received > 0 }

// Faults is the sum of the columns that must stay 0: wrong, missing and
// server disconnects, and the bots that are unconnected.
func (r Report) Faults() uint64 {
	return r.Wrong + r.Missing + r.ServerDisconnects + uint64(r.Unconnected)
}

// String returns the report as one line, for a terminal.
func (r Report) String() string {
	return fmt.Sprintf(
		"%s %s %s: %d/%d bots, unconnected %d, sent %d, received %d, wrong %d, missing %d, server disconnects %d, rtt p50 %s p99 %s",
		r.Protocol, r.Codec, r.Addr, r.Online, r.Bots, r.Unconnected, r.Sent, r.Received,
		r.Wrong, r.Missing, r.ServerDisconnects, micros(r.RTTp50), micros(r.RTTp99))
}

// Print writes the whole report as text, one figure a line. It returns
// the error of w.
func (r Report) Print(w io.Writer) error {
	var b strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&b, "%-20s %v\n", name, value) }
	line("server", fmt.Sprintf("%s, %s over %s", r.Addr, r.Protocol, r.Codec))
	line("bots", fmt.Sprintf("%d, %d online, %.1f s", r.Bots, r.Online, r.Seconds))
	line("connects", fmt.Sprintf("%d, %d sessions, %d errors", r.Connects, r.Sessions, r.ConnectErrors))
	line("unconnected", r.Unconnected)
	line("sent", r.Sent)
	line("received", r.Received)
	if r.Protocol == Chat {
		line("deliveries", fmt.Sprintf("%d required, %d optional, %d foreign", r.Required, r.Optional, r.Foreign))
	}
	line("wrong", r.Wrong)
	line("missing", r.Missing)
	line("server disconnects", r.ServerDisconnects)
	line("lost, late", fmt.Sprintf("%d, %d", r.Lost, r.Late))
	line("rtt", fmt.Sprintf("p50 %s  p99 %s  p99.9 %s  max %s",
		micros(r.RTTp50), micros(r.RTTp99), micros(r.RTTp999), micros(r.RTTMax)))
	for _, reason := range slices.Sorted(maps.Keys(r.CloseReasons)) {
		line("closed", fmt.Sprintf("%d %s", r.CloseReasons[reason], reason))
	}
	for _, finding := range r.Findings {
		line("finding", finding)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON returns the report as one line of JSON, without a newline.
func (r Report) JSON() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic("bot: report: " + err.Error())
	}
	return b
}

func micros(us float64) time.Duration {
	return time.Duration(us * float64(time.Microsecond)).Round(time.Microsecond)
}
