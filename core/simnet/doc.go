// Package simnet is core/poller's network in memory: one thread, virtual
// time, and every choice drawn from one seed, so that a run that failed can
// be run again.
//
//	   test                        simnet                       code under test
//	Net.Dial -> Conn ----bytes----> queue by time ----bytes----> Poller.Read
//	Conn.Write Close Reset          Advance, Step                Poller.Wait Accept
//	Conn.Read  SetReading <-------- delays, cuts, <------------- Poller.Write Close
//	                                resets, windows
//
// A test calls the code under test for one turn (which calls Wait), then
// moves time with Advance or Step, and so on. Nothing sleeps: Wait returns
// what is ready now, whatever its timeout. Nothing runs by itself. With the
// zero Config the network is perfect and immediate: what is written is
// readable at once.
//
// # What it keeps
//
// The rules of package poller, which one set of tests holds this package and
// the kernel to: which event makes which edge, that an edge is turned into
// the state at Wait, listeners that are level-triggered, a send buffer that
// says Writable again when a third is free, the errors after a reset, a Close
// with unread bytes that becomes a reset, the lowest free descriptor reused
// first.
//
// Bytes, ends and resets of one direction arrive in the order they were sent,
// whatever the delays. A Read cut short by ShortRead or MaxRead acts as if
// the rest had not come yet: it arrives right after, with an edge of its own.
// So does a Read or Write that says EAGAIN by chance. Code that stops at a
// short Read or at EAGAIN and waits for the next edge is never left waiting.
//
// # What it leaves out
//
// Device and Nagle have no effect. Host names other than localhost are not
// resolved. There is one window per direction, for the sender's and the
// receiver's buffer together. Loss and reordering show as delay, as they do
// above TCP.
//
// # Units and limits
//
// Virtual time is in nanoseconds and begins at one second, so that 0 can stay
// "never". A connection that finds the accept queue full tries again after 1,
// 2, 4, 8, 16 and 32 s, then fails with ETIMEDOUT. Config names the other
// limits. Nothing here is meant to be fast, and only Wake may be called from
// a second goroutine.
package simnet
