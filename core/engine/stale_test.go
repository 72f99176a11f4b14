package engine

import (
	"testing"

	"vitrine/core/poller"
	"vitrine/core/simnet"
)

// A command or an event of a session that has left finds its slot free or another worker's, which writes to it just then:
// the worker must not look into it. Only -race can tell.
func TestStaleCommandsAndEventsLeaveTheSlotAlone(t *testing.T) {
	for name, stale := range map[string]func(*worker, ID){
		"command": func(w *worker, id ID) { w.obey(&command{id: id, kind: commandPost}) },
		"event":   func(w *worker, id ID) { w.dispatch(&poller.Event{Data: uint64(id), Ready: poller.Readable}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, simnet.Config{}, Config{MaxSessions: 1})
			c := s.dial()
			s.settle()
			c.Close()
			s.settle()
			opened := make(chan struct{})
			go func() { // ends by itself
				id, next, _ := s.srv.table.Open()
				next.id, next.phase = id, phaseHandshake
				close(opened)
			}()
			for id := range s.handler.left {
				stale(s.srv.workers[0], id)
			}
			<-opened
		})
	}
}
