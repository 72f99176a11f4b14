package engine

import (
	"slices"

	"vitrine/core/packet"
	"vitrine/core/pool"
	"vitrine/core/stats"
)

// Counters are what one worker has counted since the start. All only grow.
type Counters struct {
	Turns          uint64 // times around the loop
	Events         uint64 // readiness events
	Accepts        uint64 // connections accepted, refused ones included
	AcceptErrors   uint64 // accept calls that failed
	AcceptPauses   uint64 // times accepting paused for want of a resource
	Joins          uint64 // OnClientJoin calls
	Leaves         uint64 // OnClientLeave calls
	Closed         uint64 // sessions ended, joined or not
	RecvCalls      uint64 // read system calls
	RecvBytes      uint64
	RecvPackets    uint64
	SendCalls      uint64 // write system calls
	SendBlocked    uint64 // writes the kernel had no room for
	SentBytes      uint64 // bytes the kernel took
	SentPackets    uint64 // packets accepted for sending
	QueuedBytes    uint64 // bytes of frames accepted for sending
	DroppedPackets uint64 // droppable packets dropped at the send limit
	UnsentPackets  uint64 // packets that were never written: session left or closed at its limit
	UnsentBytes    uint64 // bytes of frames that were never written
	PartialFrames  uint64 // reads that ended within a frame
	BudgetStops    uint64 // sessions that stopped at their receive budget
	BadFrames      uint64
	Commands       uint64 // commands taken from elsewhere
	Panics         uint64 // panics caught; those on other goroutines are in the server's total alone
}

// Status is a server's figures at one moment. Figures of different workers are of slightly different moments.
type Status struct {
	Name         string
	Addr         string
	Sessions     int
	Limit        int
	Draining     bool
	Total        Counters
	Workers      []WorkerStatus
	Reasons      map[string]uint64 // sessions ended by reason, those that occurred
	Refusals     map[string]uint64 // connections refused by refusal, those that occurred
	FullQueues   uint64            // commands refused because a worker's queue was full
	RefusedSends uint64            // SendPacket and Broadcast deliveries refused
	Packets      packet.Stats      // the packet pool
	Output       pool.Stats        // slots that hold what waits to be written
	Partial      pool.Stats        // slots that hold unfinished frames, small and large together
	Duration     stats.Snapshot    // per-packet share of the handling time, ns
	Unkept       uint64            // sessions that ended abnormally and whose records the rate of keeping turned away
}

// WorkerStatus is one worker's part of a Status.
type WorkerStatus struct {
	Counters Counters
	Sessions int
	Queue    int               // commands that wait
	Reasons  map[string]uint64 // its sessions ended by reason, those that occurred
	Cached   Cached
}

// Cached are the free slots that one worker holds ready, as last published, by pool; 0 once it has ended.
type Cached struct {
	Packets, Output, Partial int
}

// Status returns the server's figures. Any goroutine, at any time: before Start there are no workers, after Stop the
// figures are the last ones.
func (srv *Server) Status() Status {
	st := Status{
		Name: srv.cfg.Name, Addr: srv.Addr(), Sessions: srv.table.Len(), Limit: srv.cfg.MaxSessions,
		Draining: srv.Draining(), Reasons: map[string]uint64{}, Refusals: map[string]uint64{},
		FullQueues: srv.fullQueues.Load(), RefusedSends: srv.refusedSends.Load(), Unkept: srv.kept.Dropped(),
		Packets: srv.packets.Stats(), Output: srv.output.Stats(),
	}
	small, large := srv.partialSmall.Stats(), srv.partialLarge.Stats()
	st.Partial = together(small, large)
	var counters []Counters
	workers := srv.started()
	for _, w := range workers {
		one := WorkerStatus{
			Counters: w.stats.Snapshot(), Sessions: int(w.load.Load()), Queue: w.commands.Len(), Reasons: srv.reasonsOf(w.index),
		}
		held := func(s []int) int { return heldBy(s, w.index, len(workers)) }
		one.Cached = Cached{held(st.Packets.Cached), held(st.Output.Cached), held(small.Cached) + held(large.Cached)}
		counters, st.Workers = append(counters, one.Counters), append(st.Workers, one)
		for reason, n := range one.Reasons {
			st.Reasons[reason] += n
		}
		st.Duration.Merge(w.record.Duration().Snapshot())
	}
	st.Total = stats.Sum(counters...)
	st.Total.Panics += srv.panics.Load()
	for refusal := range srv.refusals {
		if n := srv.refusals[refusal].Load(); n > 0 {
			st.Refusals[Refusal(refusal).String()] = n
		}
	}
	return st
}

// reasonsOf returns why a worker's sessions ended.
func (srv *Server) reasonsOf(worker int) map[string]uint64 {
	reasons := map[string]uint64{}
	for reason := range srv.reasons[worker] {
		if n := srv.reasons[worker][reason].Load(); n > 0 {
			reasons[Reason(reason).String()] = n
		}
	}
	return reasons
}

// heldBy picks a worker's cache out of a pool's, of which the first is everybody's and those of workers that have ended are
// gone.
func heldBy(caches []int, worker, workers int) int {
	if len(caches) != 1+workers {
		return 0
	}
	return caches[1+worker]
}

// Draining reports whether Stop was called. Any goroutine.
func (srv *Server) Draining() bool { return srv.stopping.Load() }

// started returns the workers, none before Start. Figures may be asked for while the server starts.
func (srv *Server) started() []*worker {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.workers
}

// together adds up the figures of two pools that do one job.
func together(a, b pool.Stats) pool.Stats {
	a.Capacity += b.Capacity
	a.Allocated += b.Allocated
	a.InUse += b.InUse
	a.Exhausted += b.Exhausted
	a.Cached = slices.Concat(a.Cached, b.Cached)
	return a
}
