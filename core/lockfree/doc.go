// Package lockfree holds the containers through which goroutines hand things
// to each other without a lock: a stack of indexes, to be a free list, and
// three bounded queues.
//
//	          producers  consumers  one PushN or PopN costs      at the limit
//	Stack     any        any        one swap                     none: a link per index
//	MPMC      any        any        a swap, a store per element  Push false, Pop false
//	MPSC      any        one        push: a swap and a store     Push false, Pop false
//	                                pop: a store
//	SPSC      one        one        a store                      Push false, Pop false
//
// Nothing here blocks, parks or allocates after its constructor. A queue
// wakes nobody: who finds it empty or full comes back later, as a worker
// does on its next turn, or has a signal of its own.
//
// # What a stopped goroutine can do to the others
//
// The word lock-free is used in its strict sense: whatever an operation is
// doing when its goroutine loses the processor, all others can finish
// theirs. That is true of Stack. SPSC is wait-free: its two sides never wait
// or retry. The other two queues are not lock-free. A producer stopped
// between claiming cells and publishing them, which is a matter of a few
// stores, hides what was published behind it:
//
//	cells    | taken | claimed | published | published | free |
//	                     ^ head: Pop answers "empty" until this producer runs
//
// Nobody spins on it, nothing is lost, and in MPSC and MPMC alike pushes go
// on until the queue is full.
//
// # What the library this one follows claimed, and what holds
//
// It was written in C++ and claimed of its lock-free containers against spin
// locks:
//
//   - no sleeping and almost no context switches;
//   - average time lock-free >= spin lock: the spin lock is better on average;
//   - maximum time lock-free <= spin lock: lock-free is better at its worst.
//
// In short: nothing here sleeps, and context switches are as few with spin
// locks; the claim about the average is refuted under contention and nearly
// a draw without it; the one about the maximum holds for Stack and not for
// MPMC. Below, an element is taken and put back by g goroutines on two cores:
// medians of five runs of BenchmarkContention, in ns per turn.
//
//	                    g=1     g=2     g=8    g=64
//	Stack                50      68      42      34
//	spin-locked stack    43      79     285     114
//	mutex stack          50      50      88      86
//	MPMC                 30      55      52      76
//	spin-locked ring     28      68     135     173
//	mutex ring           63      33      77      93
//	channel              71      87      82      90
//
// So the claim about the average does not hold: under contention it is the
// lock-free containers that are better on average, by 1.2 to 6.8 times. For
// one goroutine alone the two are level: the medians favor the spin lock by a
// tenth, as claimed, the best runs the lock-free containers (13 against 20 ns,
// 18 against 20). Nor is the spin lock the only peer: with two goroutines that
// truly collide a mutex is as fast or faster, since it lets one core keep the
// cache line. On few cores batches buy throughput, not lock-freedom. Elements
// moved from one goroutine to another, ns each:
//
//	            SPSC   MPSC   MPMC   channel
//	singly       150    200    203       123
//	by 32         14     35     57
//
// Context switches were 15 to 60 per million turns in all lock-free runs,
// which is what the machine does to any program; spin locks had 15 to 120,
// mutexes 38 to 124. None is "almost none" against another here, for Go's
// mutex parks goroutines, not threads. Parked goroutines tell them apart:
// Stack had 4 to 45 goroutine switches per million turns, the mutexes up to
// 1200. MPMC in that benchmark had 20,000 to 50,000, all of them turns that
// gave up the processor because of an unpublished push.
//
// The longest turn cannot be measured where it matters, since the machine
// took away its cores for longer than any of these structures ever holds
// anybody up: 36 % of the time, 5 to 147 ms at a stretch (BenchmarkMachine),
// and longest turns of 10 to 600 ms follow no order. It can be counted. A
// worker is put to sleep for 20 ms inside an operation, 60 times
// (BenchmarkStall, medians):
//
//	                              stalls in which another    turns of another
//	asleep                        worker did nothing, of 60  over 15 ms
//	Stack, between load and swap            0                     0
//	spin lock, in the lock                 60                    57
//	mutex, in the lock                     60                    60
//	MPMC, between claim and publish        60                    60
//
// So the claim about the maximum holds for the stack, absolutely, and not
// for a ring of this kind. TestStackGoesOnWhileAWorkerIsStopped is the same
// without a clock.
//
// These figures are from two cores shared with other work, at a load of 7
// and more; compare them within a table only. To see them on your machine:
//
//	go test -run '^$' -bench . -benchtime 100ms ./core/lockfree
//
// # How it is checked
//
// Every operation yields in each of its windows, the moments at which it has
// read something and not yet acted on it (yield.go; empty in the package).
// The tests make copies in which a yield is a switch to another operation,
// replay schedules by seed, and hold the histories against a model with
// porcupine. Each structure comes with mutants, copies with one mistake: no
// tag, a cell published before it is written, a wrong mask, a store in place
// of a swap. The checker finds each within milliseconds. After a change,
//
//	go test -run Variants -update ./core/lockfree     makes the copies anew
//	go test -run Model ./core/lockfree -histories N   checks N schedules of each
//
// # Sources
//
// Stack: R. K. Treiber, "Systems Programming: Coping with Parallelism", IBM
// RJ 5118, 1986, with the tag of the System/370 Principles of Operation. MPMC:
// D. Vyukov, "Bounded MPMC queue", 1024cores.net. SPSC: L. Lamport, 1983, with
// remembered positions after P. P. C. Lee, T. Bu and G. Chandranmenon, "A
// Lock-Free, Cache-Efficient Multi-Core Synchronization Mechanism for
// Line-Rate Network Traffic Monitoring", IPDPS 2010.
package lockfree
