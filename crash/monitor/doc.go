// Package monitor is the process beside a server that explains the server's
// death.
//
// It is the server's own program, run again with [Marker] in its environment:
// nothing to build, to find or to keep in step, and it goes on from the same
// file after an update replaced it on disk. There are two. The first acts; the reserve
// runs the same code when the first makes no progress for [StandbyAfter],
// because somebody stopped or killed it, or for [StandbySlow] because a disk
// holds it. What the first has heard by then is kept for the reserve, and so is
// what the limits admitted and which bundle is finished: a death has one.
// A monitor that a signal stops is woken by a timer of its own after a second.
//
//	server                                   monitor
//	------                                   -------
//	debug.SetCrashOutput --- crash pipe ---> poll: crash pipe, pidfd, control
//	  1st write: fits                          |
//	  2nd write: blocks <--- stopped at an exact point ---+
//	                                           | 1. all threads stopped, registers, fork (crash/snapshot)
//	                                           | 2. threads go on, the pipe is made large: the server dies
//	                                           | 3. text to crash.txt, exit status, reason, goroutines
//	                                           | 4. what the server left: records, metrics, log
//	                                           | 5. core.zst from the fork
//	                                           | 6. meta.json, rename, Sentry spool, upload, prune
//	Panicked, hang ------- control socket ---> the same from 1, of a server that lives on
//
// A crash pipe is one page of packets (O_DIRECT): the runtime's first piece of
// text fills it, the second waits for a reader. That holds the process
// exactly there, with all goroutines frozen, until the monitor has what it
// needs. Nothing is allocated in bulk and no disk is touched before the pipe
// is opened. Where such a pipe does not exist the monitor reads to the
// end and writes a bundle of text.
//
// A report that could not be sent is tried again by the first monitor of a server as long as that lives, at the start of the next, and
// once more when a server ends in good order.
//
// The control socket carries frames: length u32 little-endian, kind u8, JSON.
// A monitor believes its server, which is the same program of the same user,
// but bounds what it reads by [MaxFrame].
//
// Limits: each is named in limits.go. All work on one death ends
// after [WorkLimit]; what is there by then is the bundle.
//
// Source: Crashpad's out-of-process handler, Windows' PssCaptureSnapshot, and Go's
// golang.org/x/telemetry/crashmonitor for the crash pipe.
package monitor
