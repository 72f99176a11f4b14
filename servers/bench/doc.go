// Command bench measures the engine and the log beside their peers, as ratios
// inside one run.
//
// It is a module of its own, so that the peers do not become dependencies of
// the stack. The same framed echo runs on several engines; one load generator
// drives them all and checks every echo:
//
//	          core 0                                core 1
//	+--------------------------+   loopback   +-----------------------+
//	| serve std | netpoll | .. |<------------>| load: epoll, 1 thread |
//	+--------------------------+    frames    +-----------------------+
//
//	peers    every kind, medians of the rounds' ratios, gates
//	ab       one server in two builds, the second twice
//	memory   bytes of a connection, idle and after traffic
//	log ..   the log: see package logs, which has its subcommands
//
// peers and ab keep all servers alive and connected and drive one at a time: a
// round is a short slice of each, in random order, so that both sides of a
// ratio saw the same machine. The A/A control is one server measured as two;
// rounds are added until its ratio is within 2 % of 1. An echo outside this
// program is measured with --extern, and with --load by an external generator,
// which cannot keep servers alive: each visit then starts one.
//
// On the wire a frame is a length and its payload, little-endian:
//
//	 0        2                2+length
//	+--------+----------------+
//	| length |    payload     |   length: 2 bytes, the payload's only
//	+--------+----------------+
//
// Figures: CPU is what the server's process spent (its CPU clock, nanoseconds)
// divided by the messages echoed; what the kernel does while delivering is paid
// by the side that sends. Latency is sampled, one message of a batch, and holds
// to 1/32. On a shared machine only the ratios of one round mean anything, and
// the A/A control says how much.
//
// vitrine-gather is our echo gathered by hand: the answers to all messages a
// connection has in flight leave as one packet, whose parts the load checks.
//
// Limits: 20,000 connections, 65,535 bytes of payload, Linux only. The clock is
// clock_gettime(2) on a process (CPUCLOCK_SCHED, see clock_getcpuclockid(3)).
package main
