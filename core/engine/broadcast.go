package engine

import "vitrine/core/packet"

// Broadcast queues the packet for each session from any goroutine, in batches per worker with one wake-up each. It consumes
// one reference, never blocks, and returns how many sessions it was queued for. The error is that of the last session it
// was not queued for; ErrNoSession is what players who just left look like.
func (srv *Server) Broadcast(ids []ID, p *packet.Packet) (sent int, err error) {
	b := broadcast{server: srv}
	return b.send(ids, p)
}

// Broadcast sends the packet to each session like Server.Broadcast, without the detour through a queue for the sessions of
// this session's own worker. Only inside callbacks of the session.
func (s *Session) Broadcast(ids []ID, p *packet.Packet) (sent int, err error) {
	b := broadcast{server: s.worker.server, own: s.worker}
	return b.send(ids, p)
}

const (
	broadcastBatch   = 32
	broadcastWorkers = 4
)

// broadcast gathers the commands for a few workers at a time.
type broadcast struct {
	server  *Server
	own     *worker // the worker whose goroutine this is, nil elsewhere
	batches [broadcastWorkers]struct {
		worker   *worker
		n        int
		commands [broadcastBatch]command
	}
	sent int
	err  error
}

func (b *broadcast) send(ids []ID, p *packet.Packet) (int, error) {
	p = b.server.adopted(p)
	if err := p.Err(); err != nil {
		p.Release()
		return 0, err
	}
	b.server.feeding.Add(1) // a batch holds no session: its worker must not end before it is pushed
	defer b.server.feeding.Add(-1)
	p.Retain(len(ids)) // one more than there are deliveries, so p lasts until the end
	for _, id := range ids {
		b.one(id, p)
	}
	for i := range b.batches {
		b.push(i)
	}
	b.release(p)
	return b.sent, b.err
}

// one delivers to a session of this worker at once, and files the others.
func (b *broadcast) one(id ID, p *packet.Packet) {
	s, ok := b.server.table.Acquire(id)
	if !ok {
		b.refuse(p, ErrNoSession)
		return
	}
	defer b.server.releaseHold(id, s)
	if s.worker == b.own {
		if err := b.own.send(s, p); err != nil {
			b.err = err
		} else {
			b.sent++
		}
		b.release(p)
		return
	}
	if int(s.elsewhere.queued.Add(1)) > b.server.limits.Load().SendLimitPackets {
		s.elsewhere.queued.Add(-1)
		b.refuse(p, ErrQueueFull)
		return
	}
	i := s.worker.index % broadcastWorkers
	if batch := &b.batches[i]; batch.worker != s.worker || batch.n == broadcastBatch {
		b.push(i)
		batch.worker = s.worker
	}
	batch := &b.batches[i]
	batch.commands[batch.n] = command{id: id, kind: commandSend, packet: p.Handle()}
	batch.n++
}

// push hands a batch to its worker. What the queue has no room for is refused.
func (b *broadcast) push(i int) {
	batch := &b.batches[i]
	if batch.n == 0 {
		return
	}
	pushed := batch.worker.commands.PushN(batch.commands[:batch.n])
	for _, c := range batch.commands[pushed:batch.n] {
		if s, ok := b.server.table.Acquire(c.id); ok {
			s.elsewhere.queued.Add(-1)
			b.server.releaseHold(c.id, s)
		}
		b.server.fullQueues.Add(1)
		b.refuse(b.server.packets.At(c.packet), ErrQueueFull)
	}
	b.sent += pushed
	batch.n = 0
	batch.worker.wake()
}

func (b *broadcast) refuse(p *packet.Packet, err error) {
	b.err = err
	b.server.refusedSends.Add(1)
	b.release(p)
}

// release drops one reference, by the worker's own cache where this is its goroutine.
func (b *broadcast) release(p *packet.Packet) {
	if b.own != nil {
		b.own.packets.Release(p)
		return
	}
	p.Release()
}
