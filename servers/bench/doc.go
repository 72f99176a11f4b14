// Command bench measures the engine beside its peers, as ratios inside one run.
//
// It is a module of its own, so that the peers do not become dependencies of
// the stack. The same framed echo runs on several engines; one load generator
// drives them all and checks every echo:
//
//	          core 0                                core 1
//	+--------------------------+   loopback   +-----------------------+
//	| serve std | netpoll | .. |<------------>| load: epoll, 1 thread |
//	+--------------------------+    frames    +-----------------------+
//	             ^        CPU clock, RSS          ^
//	             +------------+-------------------+
//	        peers: rounds, every server in random order, medians, gates
//	        memory: bytes of a connection, idle and after traffic
//	        ab: servers alive at once, short slices, until A/A agrees
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
// to 1/32. On a shared machine only the ratios of one round mean anything; the
// A/A control, one server measured twice, says how much they mean.
//
// Limits: 20,000 connections, 65,535 bytes of payload, Linux only. The clock is
// clock_gettime(2) on a process (CPUCLOCK_SCHED, see clock_getcpuclockid(3)).
package main
