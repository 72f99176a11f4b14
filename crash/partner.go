package crash

import (
	"os"
	"os/exec"
	"time"

	"vitrine/crash/monitor"
)

// partner is a monitor as the process sees it.
type partner struct {
	command *exec.Cmd
	control *os.File
	conn    *monitor.Conn
}

// send sends a message. A monitor that does not read within CaptureLimit is given up.
func (m *partner) send(message any) error {
	if err := m.control.SetWriteDeadline(time.Now().Add(CaptureLimit)); err != nil {
		return err
	}
	return m.conn.Send(message)
}

// capture has a monitor take the picture of this moment, and leaves the rest to the reporter.
func (p *Process) capture(c *monitor.Capture) {
	c.ID = p.ids.Add(1)
	reply := make(chan *monitor.Captured, 1)
	if m := p.adopt(c.ID, reply); m != nil {
		if m.send(c) == nil {
			await(reply)
		} else {
			p.adopter(c.ID)
		}
	}
	p.unfinished.Add(1)
	select {
	case p.reports <- c:
	default:
		p.unfinished.Add(-1)
		p.lost.Add(1)
	}
}

func await(reply <-chan *monitor.Captured) {
	select {
	case <-reply:
	case <-time.After(CaptureLimit):
	}
}

// adopt gives a capture to the first monitor there is, which will answer on reply; nil when there is none.
func (p *Process) adopt(id uint64, reply chan *monitor.Captured) *partner {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.monitors {
		if m != nil {
			p.waiting[id], p.adopted[id] = reply, m
			return m
		}
	}
	return nil
}

// adopter returns the monitor that has a capture, once: the capture is no longer known after.
func (p *Process) adopter(id uint64) *partner {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.adopted[id]
	delete(p.adopted, id)
	delete(p.waiting, id)
	return m
}
