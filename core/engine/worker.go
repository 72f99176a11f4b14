package engine

import (
	"context"
	"fmt"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"vitrine/core/flight"
	"vitrine/core/frame"
	"vitrine/core/lockfree"
	"vitrine/core/packet"
	"vitrine/core/poller"
	"vitrine/core/pool"
	"vitrine/core/stats"
)

const (
	// eventsPerTurn bounds the sessions served between two flushes, so that what was read and answered is still in the
	// cache when it is written.
	eventsPerTurn = 128
	// hotBytes is the size of the receive buffer that all sessions of a worker share.
	hotBytes = 64 << 10
	// commandsPerTurn bounds the commands taken from elsewhere in a turn.
	commandsPerTurn = 4096
)

// worker is one event loop: one goroutine, one poller, its own sessions, pools, counters and record ring. Fields are owned
// by that goroutine unless they say otherwise.
type worker struct {
	server *Server // fixed
	index  int     // fixed
	poll   poller.Poller
	codec  frame.Codec
	calls  callbacks
	beat   Beat

	now      int64 // the clock after the wait, the time of this turn
	sessions []*Session
	dirty    []*Session // have output to write at the end of the turn
	ready    []*Session // stopped at their budget, served next turn
	spare    []*Session // ready's other half
	doomed   []*Session // closing, released at the end of the turn
	wheel    wheel
	full     int      // turns in a row with as many events as a turn takes
	accept   acceptor // worker 0's

	limits     limits  // in force this turn: a copy, close at hand
	limitsFrom *limits // of this

	hot     []byte // receive buffer
	scratch []byte // a frame that fits no output slot
	iov     [][]byte
	events  []poller.Event

	packets  *packet.Cache
	output   *pool.Cache
	partials partials
	reader   packet.Reader
	ext      packet.Ext // of the packet being received
	sendExt  packet.Ext // of the packet being sent
	record   *flight.Recorder
	stats    *stats.Shard[Counters]
	queued   uint64 // bytes appended to output since the start

	tailSlot  uint32 // the output slot looked at last, plus one
	tailBytes []byte // its memory

	// What is being called, for the panic hook.
	callback   callback
	typ        uint16
	outputFull bool // in the hook QueueFull: the output of all sessions is at its limit

	commands *lockfree.MPSC[command] // from any goroutine
	inbox    []command
	posted   *lockfree.Stack // slots with something to look at, each at most once
	slots    []uint32
	sleeping atomic.Bool // true while the wait may sleep without having seen commands
	load     atomic.Int64
	stopping atomic.Bool  // set by Stop
	deadline atomic.Int64 // of the drain, on the worker's clock
	draining bool
	done     chan struct{} // closed when run returns
}

func newWorker(server *Server, index int) (*worker, error) {
	cfg := &server.cfg
	poll, err := cfg.Network.NewPoller()
	if err != nil {
		return nil, fmt.Errorf("worker %d: %w", index, err)
	}
	record, err := flight.NewRecorder(flight.Config{
		Name: cfg.Name, Worker: server.workerIDs + uint16(index), Records: cfg.FlightRecords, Dir: cfg.FlightDir, Boot: cfg.Boot, Clock: poll.Now,
	})
	if err != nil {
		poll.Destroy()
		return nil, fmt.Errorf("worker %d: %w", index, err)
	}
	w := &worker{
		server: server, index: index, poll: poll, codec: cfg.Codec, calls: server.calls, beat: noBeat{}, record: record,
		hot: make([]byte, hotBytes), scratch: make([]byte, 0, cfg.Codec.MaxPayload()+cfg.Codec.Overhead()+packetSlack),
		iov: make([][]byte, 0, iovLimit), events: make([]poller.Event, eventsPerTurn),
		packets: server.packets.NewCache(), output: server.output.NewCache(), stats: stats.NewShard[Counters](),
		commands: lockfree.NewMPSC[command](cfg.QueueLimit), inbox: make([]command, 256),
		posted: lockfree.NewStack(slotCapacity(cfg.MaxSessions)), done: make(chan struct{}),
	}
	w.partials = newPartials(server)
	w.reader.Bind(server.packets, 0, &w.ext)
	w.reader.UseCache(w.packets)
	w.now = poll.Now()
	w.wheel.start(w.now)
	w.takeLimits()
	return w, nil
}

// run turns until the server has stopped. Stop ends it.
func (w *worker) run() {
	defer close(w.done)
	w.label()
	if beat := w.server.cfg.Observer.Beat(w.index); beat != nil {
		w.beat = beat
	}
	for w.turn() {
	}
	w.finish()
}

// label gives the goroutine the labels by which dumps and profiles name it, and whatever it starts.
func (w *worker) label() {
	labels := pprof.Labels("server", w.server.cfg.Name, "worker", strconv.Itoa(w.index))
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), labels))
}

// turn waits for something to happen, deals with all of it and writes every dirty session once. It answers false when the
// worker has stopped and has nothing left.
func (w *worker) turn() bool {
	n := w.wait()
	w.now = w.poll.Now()
	w.record.Turn(w.now)
	w.takeLimits()
	w.begin()
	w.ready, w.spare = w.spare[:0], w.ready
	w.takeCommands()
	for i := range w.events[:n] {
		w.dispatch(&w.events[i])
	}
	w.serveReady()
	w.expireUnless(n == len(w.events))
	w.goOnAccepting()
	if w.stopping.Load() {
		w.drain()
	}
	for w.flushDirty(); len(w.doomed) > 0; w.flushDirty() {
		w.releaseDoomed() // OnClientLeave may send to others, and the worker may sleep long after this turn
	}
	w.publish()
	w.end()
	w.beat.End()
	return !w.stopped()
}

// wait polls, and sleeps only when nothing is to be done before the next timer.
func (w *worker) wait() int {
	timeout := time.Duration(0)
	if len(w.ready) == 0 && !w.accept.more && w.commands.Len() == 0 && w.posted.Empty() {
		timeout = w.idleTime()
	}
	if timeout != 0 {
		w.sleeping.Store(true)
		if w.commands.Len() != 0 || !w.posted.Empty() || w.told() {
			timeout = 0
		}
	}
	n, err := w.poll.Wait(w.events, timeout)
	w.beat.Begin()
	if w.sleeping.Load() {
		w.sleeping.Store(false)
	}
	if err != nil {
		w.fault(&Error{Op: "wait", Err: err})
	}
	w.stats.Local.Turns++
	w.stats.Local.Events += uint64(n)
	return n
}

// told reports whether the server has stopped or has other limits since the last turn.
func (w *worker) told() bool {
	return w.stopping.Load() && !w.draining || w.server.limits.Load() != w.limitsFrom
}

// wake ends the worker's sleep if it sleeps. Any goroutine.
func (w *worker) wake() {
	if w.sleeping.Load() && w.sleeping.CompareAndSwap(true, false) {
		if err := w.poll.Wake(); err != nil {
			w.faultElsewhere(&Error{Op: "wake worker", Err: err})
		}
	}
}

// faultElsewhere is fault on a goroutine that may be another's: what belongs to the worker is left alone.
func (w *worker) faultElsewhere(err error) {
	defer func() {
		if value := recover(); value != nil {
			w.server.panics.Add(1)
			w.server.cfg.Observer.Panicked(Panic{Value: value, Callback: callbackError.String(), Worker: w.index})
		}
	}()
	w.calls.fault(err)
}

// stop makes the worker drain and end, at the latest after left.
func (w *worker) stop(left time.Duration) {
	w.deadline.Store(w.poll.Now() + int64(left))
	w.stopping.Store(true)
	w.wake()
}

func (w *worker) begin() {
	defer w.recovered(nil)
	w.callback = callbackWorkerBegin
	w.calls.workerBegin(w.index)
	w.callback = callbackNone
}

func (w *worker) end() {
	defer w.recovered(nil)
	w.callback = callbackWorkerEnd
	w.calls.workerEnd(w.index)
	w.callback = callbackNone
}

// fault tells OnError, outside a session's work.
func (w *worker) fault(err error) {
	defer w.recovered(nil)
	w.callback = callbackError
	w.calls.fault(err)
	w.callback = callbackNone
}

// dispatch serves one event. Panics of the session's callbacks end here and close the session.
func (w *worker) dispatch(ev *poller.Event) {
	if ev.Data == listenerEvent {
		w.accept.more = true
		return
	}
	if !w.server.table.Live(ID(ev.Data)) {
		return // an event of a session that left earlier in this turn: the slot may be another worker's by now
	}
	s := w.server.table.At(ID(ev.Data).Slot())
	if ev.Ready&poller.Hangup != 0 {
		s.set(flagHangup)
	}
	w.serve(s, ev.Ready)
}

func (w *worker) serve(s *Session, ready poller.Ready) {
	defer w.recovered(s)
	if s.phase == phaseConnecting {
		w.connected(s)
	}
	if ready&poller.Writable != 0 && s.has(flagBlocked) {
		s.clear(flagBlocked)
		w.markDirty(s)
	}
	if ready&(poller.Readable|poller.Hangup) != 0 && !s.has(flagReady) {
		w.receive(s)
	}
}

// serveReady serves the sessions that stopped at their budget in an earlier turn. Events of theirs in this turn waited for it:
// nobody reads twice in a turn.
func (w *worker) serveReady() {
	for _, s := range w.spare {
		if s.has(flagReady) {
			s.clear(flagReady)
			w.serve(s, poller.Readable)
		}
	}
}

// recovered is deferred around one session's work. It must be the deferred function itself for recover to work.
func (w *worker) recovered(s *Session) {
	value := recover()
	if value == nil {
		return
	}
	w.stats.Local.Panics++
	if w.callback == callbackRecv {
		w.record.Panic()
	}
	w.server.cfg.Observer.Panicked(w.panicOf(value, s))
	if w.callback == callbackRecv {
		w.record.End(0, uint16(HandlerPanic))
	}
	w.callback = callbackNone
	if s != nil {
		w.close(s, HandlerPanic)
	}
}

// panicOf says what is known of a panic.
func (w *worker) panicOf(value any, s *Session) Panic {
	p := Panic{Value: value, Callback: w.callback.String(), Session: s, Worker: w.index, Trace: w.record.Handling()}
	if w.callback == callbackRecv {
		p.Packet = w.typ
	}
	return p
}

// publish makes this turn's figures and records readable.
func (w *worker) publish() {
	w.record.Flush(w.poll.Now())
	w.stats.Local.QueuedBytes = w.queued
	w.stats.Publish()
	w.packets.Publish()
	w.output.Publish()
	w.partials.publish()
}

// finish gives back what the worker held. It runs after the last turn.
func (w *worker) finish() {
	w.packets.Close()
	w.output.Close()
	w.partials.close()
	w.stats.Publish()
	w.poll.Destroy()
	w.beat.Close()
	if err := w.record.Close(); err != nil {
		w.fault(&Error{Op: "close record", Err: err})
	}
}
