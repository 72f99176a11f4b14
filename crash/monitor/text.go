package monitor

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/probe"
)

// endOfText is what a server writes to the pipe of a monitor of [RoleText] when it ends in good order.
var endOfText = []byte("\x00end\x00")

// EndText says to a monitor of [RoleText] that what follows, the end, is no crash.
func EndText(pipe io.Writer) error {
	_, err := pipe.Write(endOfText)
	return err
}

// serveText is the monitor where there is neither packet pipe nor ptrace: it reads setup and text to their end.
func serveText(in io.Reader) error {
	conn := &Conn{r: bufio.NewReader(in)}
	first, err := conn.Receive()
	if err != nil {
		return fmt.Errorf("receive setup: %w", err)
	}
	setup, ok := first.(*Setup)
	if !ok {
		return fmt.Errorf("receive setup: %w: %T", errFrame, first)
	}
	start := probe.Cgroup(setup.Process.PID)
	quiet := make(chan struct{})
	go setup.carryText(quiet) // ends with quiet, or UploadLimit later
	text, err := io.ReadAll(io.LimitReader(conn.r, MaxText))
	close(quiet)
	if err != nil {
		return fmt.Errorf("read the crash text: %w", err)
	}
	began := time.Now()
	dropped, _ := io.Copy(io.Discard, conn.r) // a crash must not wait for its reader
	if bytes.Equal(text, endOfText) {
		setup.farewell()
		return nil
	}
	r := newReport(setup, began)
	r.cgroup = looks{cgroupStart: start, cgroupDeath: start.Again()}
	j := begin(setup, r, began, func() {})
	j.hear(text, dropped)
	d := death{text: text, dump: r.dump}
	r.meta.Class, r.meta.Reason, r.meta.ReasonHow = d.classify()
	r.meta.Core.Why = "no cores on this system"
	return j.finish()
}

// carryText sends what waits as long as the server lives.
func (s *Setup) carryText(quiet <-chan struct{}) {
	if err := s.flush(); err != nil {
		fmt.Fprintln(os.Stderr, "crash monitor:", err)
	}
	s.send(nil, "")
	(&courier{setup: s}).run(quiet)
}

// WriteText makes a bundle of a report of a server that lives on, without a monitor: what Captured and Sources would have
// carried. It blocks on the disk.
func WriteText(setup *Setup, c *Capture, files map[string][]byte) (path string, err error) {
	began := time.Now()
	r := liveReport(setup, c)
	r.files = files
	j := begin(setup, r, began, func() {})
	j.hear(c.Text, 0)
	r.meta.Core.Why = "no monitor to take one"
	err = j.finish()
	return j.path, err
}

// liveReport begins the report of a capture.
func liveReport(setup *Setup, c *Capture) *report {
	r := newReport(setup, c.At)
	m := &r.meta
	m.Class, m.Reason, m.ReasonHow, m.Fingerprint = c.Class, c.Reason, c.How, c.Fingerprint
	m.Where, m.Trace, m.Span = c.Where, c.Trace, c.Span
	m.Handled, m.Live = c.Class == bundle.ClassPanic, !c.Held
	if c.Before > 0 {
		m.Dropped["held_back"] = c.Before
	}
	return r
}
