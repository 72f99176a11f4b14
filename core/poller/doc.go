// Package poller is what the kernel gives a worker, behind two small
// interfaces: a [Poller] (epoll, eventfd and the non-blocking socket calls)
// and a [Network] that makes listeners, connections and pollers.
//
//	Network.Listen ---> listener fd --AddListener--> Poller --Wait--> Event{Data, Ready}
//	Network.Connect --> socket fd ------Add--------^   |  ^              |
//	another goroutine ---------Wake--------------------'  |   Accept Read Write Writev
//	                                                      '--- Shutdown Close <--'
//
// [System] is the kernel's (Linux); core/simnet is its seeded twin with
// virtual time. Both keep the rules below, and one set of tests holds both to
// them.
//
// # Edges
//
// A socket given to Add is reported when something happens to it, not while
// something is so. At Wait an edge is turned into the state of that moment:
// every bit of Ready that is true is set, whatever caused the edge.
//
//	what happens                         bits then set
//	Add, connection open                 Writable, and what follows if it is so
//	bytes arrive                         Readable
//	the peer ends its side               Readable, Hangup
//	the connection is reset, or refused  Readable, Writable, Hangup
//	room after a full send buffer        Writable
//	a connection of Connect opens        Writable
//	Shutdown of the own side             Writable
//
// So a caller reads until one of these, and may then wait for the next edge:
//
//   - EAGAIN;
//   - a Read shorter than its buffer, when the event that led to it did not
//     carry Hangup: everything that had come was taken, what comes later is a
//     new edge. With Hangup it reads on to the end of the stream or an error,
//     since that end may have been announced already. Urgent data, which
//     nobody here sends, can split a Read; the peer that sends it delays only
//     itself.
//
// And it writes until EAGAIN or a Write shorter than its buffer: the send
// buffer is full, and Writable follows when a third of it is free. Whoever
// stops earlier (a budget is used up) must remember so: no edge will remind
// it. An edge may come for something already read; a Read then says EAGAIN.
//
// A listener is level-triggered: reported by each Wait while connections are
// queued. Several pollers may hold one listener; then one connection wakes
// one of those that sleep, and Accept may say EAGAIN to the slower ones.
//
// # Errors of Read, Write and Accept
//
// They return the bare errno, which costs nothing. EINTR: call again. EAGAIN:
// wait. Read: ECONNRESET once after a reset, when what had come before is
// taken, then 0. Write: ECONNRESET or EPIPE. Accept: ECONNABORTED is one
// lost connection, call again; EMFILE, ENFILE, ENOBUFS and ENOMEM leave the
// connection queued and the listener ready, so a caller must back off.
//
// # Units and limits
//
// Times are nanoseconds. A wait that sleeps is timed in milliseconds, rounded
// up: it never ends early and at most a millisecond and the kernel's slack
// late. epoll_pwait2 would count nanoseconds, but older kernels and sandboxes
// refuse it, and a worker's timer wheel ticks in milliseconds. One Wait
// reports at most [MaxEvents] events, one Writev takes at most [MaxBuffers]
// buffers. A Poller takes about 15 KiB and two descriptors.
//
// # Cost
//
// Calls that cannot block skip the Go scheduler (RawSyscall: 80 ns instead of
// 126). Only a Wait that found nothing ready enters it. Nothing allocates
// between Add and Close. A Wake of a poller that is awake is one atomic swap;
// of one that sleeps, one write to its eventfd, however many Wakes follow.
//
// Sources: epoll(7), eventfd(2), accept4(2), sendmsg(2), tcp(7), socket(7).
package poller
