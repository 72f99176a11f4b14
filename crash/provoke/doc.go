// Package provoke makes a process die on purpose, in each way that servers
// die, and looks whether the death left the bundle that it should.
//
//	Run, Start                       victim: the same program, run again
//	----------                       -----------------------------------
//	VITRINE_CRASH_PROVOKE=JSON ----> Serve: crash.Start, players, goroutines
//	            <---- "armed PTRACE" once both monitors watch
//	"provoke"   ---->                the class happens; signals are sent by Run instead
//	"gap"       ---->
//	            <---- "gap NS"       the longest standstill since the last gap
//	"fork"      ---->
//	            <---- "fork NS"      how long fork(2) takes it, where it has C
//	end of input ---->               one that lives ends in good order
//	bundle, exit status <--
//
// With [Options.Untraced] the victim first puts a filter of system calls above
// itself and all that it starts, which refuses ptrace as some containers do.
//
// Text goes by lines over standard input and output. What a panic says is
// [Value]; the players are in a variable that a core shows.
//
// Units: heap in bytes, standstills in nanoseconds. Limits: [Options.Wait] for each step.
// What cannot be provoked in this program, such as faults in C without cgo, is
// an error that says how to get it.
//
// Errors: a run that could not be made; what a bundle lacks is no error but
// in [Outcome.Missing].
//
// Source: Crashpad's end-to-end tests, which crash a child per kind of crash.
package provoke
