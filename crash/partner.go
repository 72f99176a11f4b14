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

// send sends a message. A monitor that does not read within CaptureLimit is given up: half a message would make it deaf. It
// leaves when its socket closes, and another is started.
func (m *partner) send(message any) error {
	err := m.control.SetWriteDeadline(time.Now().Add(CaptureLimit))
	if err == nil {
		err = m.conn.Send(message)
	}
	if err != nil {
		_ = m.control.Close() // closed twice at worst
	}
	return err
}

// capture has a monitor take the picture of this moment, and leaves the rest to the reporter.
func (p *Process) capture(c *monitor.Capture) {
	c.ID = p.ids.Add(1)
	p.takePicture(c)
	p.unfinished.Add(1)
	select {
	case p.reports <- c:
	default:
		p.unfinished.Add(-1)
		p.lost.Add(1)
	}
}

// takePicture has a monitor begin the report, if there is one, and waits until it has what it needs of this moment.
func (p *Process) takePicture(c *monitor.Capture) {
	g, err := newGate()
	if err != nil {
		return
	}
	defer g.shut()
	m := p.adopt(c.ID, g)
	if m == nil {
		return
	}
	if m.send(c) != nil {
		p.adopter(c.ID)
		return
	}
	limit := CaptureLimit
	if c.Held {
		limit = deathLimit
	}
	g.wait(limit)
	p.openGate(c.ID, false) // it may not be opened once it is shut
}

// deathLimit is how long a process that is about to die waits for its picture.
const deathLimit = 5 * time.Second

// adopt gives a capture to the first monitor there is, which will open the gate; nil when there is none.
func (p *Process) adopt(id uint64, g gate) *partner {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.monitors {
		if m != nil {
			p.waiting[id], p.adopted[id] = g, m
			return m
		}
	}
	return nil
}

// openGate forgets the gate of a capture, and opens it if so wished.
func (p *Process) openGate(id uint64, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g, waits := p.waiting[id]; waits && open {
		g.open()
	}
	delete(p.waiting, id)
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
