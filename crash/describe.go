package crash

import (
	"fmt"
	"runtime"
	"time"

	"vitrine/crash/monitor"
)

// describe adds to each report what only the process knows, off the goroutine that panicked. It ends with closing, after the
// reports that wait.
func (p *Process) describe() {
	for {
		select {
		case c := <-p.reports:
			p.deliver(c)
		case <-p.closing:
			for len(p.reports) > 0 {
				p.deliver(<-p.reports)
			}
			return
		}
	}
}

// deliver sends a report's second part to the monitor that has the first, or writes a bundle of text where there is none.
func (p *Process) deliver(c *monitor.Capture) {
	defer p.unfinished.Add(-1)
	files := p.sources()
	if m := p.adopter(c.ID); m != nil && m.send(&monitor.Sources{ID: c.ID, Files: files}) == nil {
		return
	}
	setup := p.latest()
	path, err := monitor.WriteText(&setup, c, files)
	done := &monitor.Done{ID: c.ID, Class: c.Class, Path: path}
	if err != nil {
		done.Problem = err.Error()
	}
	p.finished(done)
}

// finished counts and logs what became of a report.
func (p *Process) finished(d *monitor.Done) {
	if d.Path != "" {
		p.bundles.Add(1)
	}
	p.told(d)
}

// sources collects the files of a process that lives. A source that hangs costs its time limit once and is left behind.
func (p *Process) sources() map[string][]byte {
	files := map[string][]byte{}
	type answer struct {
		name string
		data []byte
	}
	answers := make(chan answer, len(p.cfg.Sources))
	for name, read := range p.cfg.Sources {
		go func() { // ends with read
			var data []byte
			if Guard(func() { data = tried(read) }) {
				data = []byte("it panicked\n")
			}
			answers <- answer{name, data}
		}()
	}
	late := time.After(sourceLimit)
	for range p.cfg.Sources {
		select {
		case a := <-answers:
			files[a.name] = a.data
		case <-late:
			return files
		}
	}
	return files
}

// sourceLimit is how long all sources together may take.
const sourceLimit = time.Second

func tried(read func() ([]byte, error)) []byte {
	data, err := read()
	if err != nil {
		return fmt.Appendf(data, "error: %v\n", err)
	}
	return data
}

// explain answers a monitor that reports of its own accord: all goroutines, and the sources.
func (p *Process) explain(id uint64) *monitor.Sources {
	text := make([]byte, maxExplain)
	return &monitor.Sources{ID: id, Text: text[:runtime.Stack(text, true)], Files: p.sources()}
}

// maxExplain is the most of the goroutines' stacks that a report of a hang has, in bytes.
const maxExplain = 4 << 20
