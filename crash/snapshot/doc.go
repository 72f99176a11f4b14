// Package snapshot takes the picture of a process from outside: it stops the process for a few milliseconds, notes the
// registers of all threads, splits off a copy-on-write child, lets the process go on, and writes an ELF core that Delve
// opens from the child at leisure.
//
//	process   --running--|  stands still  |--running, or dying, as if nothing had happened------------------->
//	                     |                |
//	tracer    seize all -+- registers     +- let all go - close the child's files         kill the child - end
//	                     |  of all threads|
//	                     +- fork ---------+- child: one thread, which never runs --------------------------|
//	                                          |
//	any thread                                Read, ThrowText, WriteCore --> core.zst --Expand--> core --> dlv core
//
// What it stands on, and what goes wrong without:
//
//   - Tracing belongs to an operating-system thread, and the kernel lets go of everything a thread traces when the thread
//     ends. Each picture has a tracer of its own; ending it undoes whatever is left, threads that never stopped included.
//   - Every wait polls with a deadline. The death of a first thread is told by no wait while other threads of the process
//     have not been waited for, so that a wait which takes long asks /proc whether its thread lives. Threads that die while
//     they are held are waited for by the tracer: the process could not be reaped before.
//   - The fork is a clone call that a thread of the process is made to do, see type injection: between the stops at the
//     call's entry and exit, with all signals blocked and orig_rax at -1, so that no SIGTRAP is made, no signal lost, and the
//     call that the stop interrupted is restarted afterwards with its own registers.
//   - The child has no signal for its end (the process sees no SIGCHLD), closes all files at once (it would keep sockets
//     and the crash pipe open), and dies with the tracer (PTRACE_O_EXITKILL, inherited at its birth). It is a child of the
//     process, so that a process that goes on living must wait for it: Snapshot.Orphan.
//   - While it is held, every thread has real-time priority where that is allowed (CAP_SYS_NICE), and its own again
//     before it runs: on a busy machine a stop takes several times longer without.
//   - A core has one segment per mapping, in the order of addresses, with holes for pages that do not exist (PAGEMAP_SCAN,
//     Linux 6.7; /proc/PID/pagemap before). A mapping is split at holes of 1 GiB, so that 64 TB of untouched address space
//     cost nothing; Delve reads Filesz alone and takes zeros between for memory. The subject's thread comes first: Delve
//     shows its goroutine as the current one. Shared mappings, memory marked MADV_DONTDUMP or as a device, and pages of files
//     that the process has not changed are left out: Delve has the latter from the executable.
//
// Units are bytes and wall-clock time. The limits are the constants of this package and of CoreOptions, each with what
// happens there. Memory needed: registers of all threads (3 KiB each), a run of 1 MiB, the compressor's 4 MiB, and 200 bytes
// per mapping; no mapping is read as a whole.
//
// Measured with Go 1.26 on Linux 6.18, 2 shared cores at a load of 8 to 12: one machine, ratios matter. Half of the heap is
// random, half are structs with pointers; medians of 10; fork(2) is a C program of that size, at the same time.
//
//	heap    | stop   | fork(2) | stop after Prepare | stop without priority | write, wall | write, processor | core.zst
//	50 MB   | 3.1 ms | 1.8 ms  | 2.0 ms             | -                     | 0.26 s      | 0.2 s            | 27 MB
//	500 MB  | 18 ms  | 12 ms   | 2.8 ms             | 20 to 120 ms          | 3.0 s       | 1.6 s            | 270 MB
//
// Of the stop at 500 MB all but 1 ms is the kernel's copying of page tables, which grows with the number of pages and with
// what else uses the memory: at a load of 1 it took 11 to 14 ms. Prepare lowers the number of pages. The monitor's own memory was
// 10 MB at most, its program included. 20 pictures of an echo server under load, at either size: no answer wrong or missing.
//
// Sources: ptrace(2), core(5), elf.h and linux/elfcore.h, linux/fs.h (PAGEMAP_SCAN), RFC 8878 (zstd), Delve
// pkg/proc/core.
package snapshot
