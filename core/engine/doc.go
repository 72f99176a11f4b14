// Package engine runs workers, event loops that carry bytes from sockets to a Handler and back.
//
// A worker is one goroutine with one poller, its own sessions, pools, counters and record ring. It lives in turns:
//
//	turn:  wait -> OnWorkerThreadBegin -> commands from elsewhere -> events -> ready sessions -> timers
//	            -> flush dirty sessions -> release closed ones -> publish figures -> OnWorkerThreadEnd
//
//	socket --read--> worker's hot buffer --Size--> frame --Open--> packet.Reader --> OnRecv
//	                 (an unfinished frame waits in the session's partial)               |
//	socket <--one write per session and turn-- output slots <----Seal---- packet <---- Send
//
// The files follow that path: worker, accept, handshake, receive, partial, send, flush, close; inbound and broadcast bring
// what other goroutines ask for; timers, stop, connect, hooks, stats stand beside it.
//
// Ownership: a worker owns its sessions, and callbacks of one session never run concurrently. What another goroutine wants
// of a session goes through its [ID]: it takes a count (see [session.Table]), puts a command in the owner's queue, and lets
// go. A session's owner holds one count while the session lives; whoever lets the last one go makes the transition to
// released, and the owner runs OnClientLeave, closes the socket, drops what waits, counting it, and frees the slot.
//
// Limits are fields of [Config]; what happens at each is said there. Everything dropped is counted in [Counters]. Those in
// [Limits] can change while the server runs: [Server.SetLimits] publishes others, each worker copies them at the beginning of
// its next turn and looks at each of its sessions once, so that the packet path reads plain fields.
//
// Recording: each packet leaves one record in the worker's [flight.Recorder] (see there), and life-cycle events leave theirs
// in a ring of their own. That, single-writer counters and the [Observer] at the seams are all that watches the path.
package engine
