// Package probe finds out what this machine lets a crash monitor do, how a
// process ended, and what its cgroup did to it.
//
//	Run      once, at start      -> Capabilities -> one log line, gauges, rows for an operator
//	Cgroup   at start and after  -> CgroupInfo   -> Diff: did the kernel kill for memory?
//	Exit     after death         -> ExitInfo     -> code, signal, core written
//
//	/proc/sys/kernel/core_pattern     core            -> file      in the directory of the process
//	                                  /cores/%e.%p    -> absolute
//	                                  |/handler %p    -> pipe      to a program, whatever RLIMIT_CORE says
//	                                  @/run/c.socket  -> socket    (Linux 6.16)
//	                                  empty           -> none, or .PID with core_uses_pid
//
// Nothing here traces, stops or signals a process, and nothing fails for want of
// a file: what cannot be known says so, with the value unknown, [Unknown] or
// Known false. Whether ptrace is permitted is a judgement from what stands in
// /proc; only trying it tells for sure.
//
// Both versions of cgroups are read, for each controller the one that has it.
// Memory is counted in bytes, throttling in microseconds.
//
// # Limits
//
// A file of the system is read up to 64 KiB, the list of mounts up to 1 MiB; 32
// levels of cgroups are looked at for a limit. What stands in those files is
// taken as hostile: numbers are checked, names are cleaned and cut at 256 bytes.
// Run takes about a millisecond.
//
// Source: core(5), proc(5), cgroups(7), ptrace(2), Documentation/admin-guide/
// cgroup-v2.rst and LSM/Yama.rst of Linux, include/uapi/linux/pidfd.h.
package probe
