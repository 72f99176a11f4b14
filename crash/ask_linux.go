package crash

import "vitrine/crash/monitor"

// listen lets who makes a report from outside, such as vitrine crash dump, ask this process what only it knows.
func (p *Process) listen() {
	if p.setup.RunDir == "" {
		return
	}
	l, err := monitor.ListenForAskers(p.setup.RunDir)
	if err != nil {
		p.warn("answers to a report from outside", err)
		return
	}
	p.running.Go(func() { // ends with done
		<-p.done
		l.Close()
	})
	p.running.Go(func() { monitor.AnswerAskers(l, p.explain) }) // ends with the listener
}
