// Package observe runs the servers of a process and shows what they do: the system log, figures and packet records over
// HTTP, and an end in good order at a signal. It is the one place that knows both the servers and what watches them.
//
//	            signals        +---------------------- Stack -----------------------+
//	               |           | hooks --> journal --> files, stderr, collector     |
//	Run(ctx) ------+---------->| sampler, once a second --> rates                   |
//	   |  main(ctx, stack)     | ops HTTP --> /status /metrics /flight /healthz ... |
//	   |    stack.Add(server)  +----------^------------------------^----------------+
//	   |                                  | Observer, at the seams | Status, Flight: when asked
//	   +-- at the end: Stop ------------> engine.Server ... engine.Server
//
// The log is opened first and closed last, and is slog's meanwhile. Its files (package logx, read by vitrine logs) hold the
// start and the stop of process and servers, every session from join to leave with its reason, and whatever the program
// logs; stderr shows what is Info or above; a collector of OpenTelemetry, where one is named, gets Warn and above. Lines are
// found by session, and by trace where [Stack.Context] is used; the ids of a trace are those of the packet's record.
//
// With [Config.CrashDir] set, package crash watches over the process: [Run] starts it before the log and closes it last. Panics of
// callbacks are reported from the deferred call that caught them, workers' turns are watched, and bundles have the figures, the
// sessions, the last lines and the last packets ([Stack.FlightDir]).
//
// Nothing here runs per packet: figures are read from the servers when somebody asks, and once a second for the rates. A
// [Stack] belongs to one [Run], which ends every goroutine of it. Of the log, a full ring (see logx) and a stderr that
// nobody reads can hold up a worker; the collector cannot.
//
// The end: the first SIGINT or SIGTERM, or the end of the context or of main, makes the stack drain. /readyz answers 503,
// the servers are stopped, last added first, each with a fair share of what is left of Config.StopTimeout, then the ops
// HTTP ends. A signal within 500 ms of the first is the same request; a later one ends the process at once, with status 128 and
// its number. Once the servers have stopped signals do nothing for 5 s, in which the log is closed and the program ends. SIGHUP
// runs what was given to OnReload.
//
// Words: figures bear the names of [engine.Counters] in snake_case, the same in /status and, between vitrine_ and _total,
// in /metrics. 64-bit ids are strings in JSON; times end in their unit.
//
// Every limit that is hit is a line with its reason: those of one session where it happens, those of all sessions, full
// queues of workers and the exhausted pool of packets, once a second with their number.
//
// Limits: a request header of 8 KiB, 10 s to read a request and 30 s to write an answer; 4,096 records in an answer of
// /flight; in the log 10 lines a second of dropped packets, of refused connections and of panics of one server, and on stderr
// of any type and message: the rest is counted and said; 2,048 lines on their way to the collector, the rest is counted.
//
// The ops HTTP has neither password nor cipher: it belongs on loopback or on a network of its own.
package observe
