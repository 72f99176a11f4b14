// Package snapshot takes the picture of a process from outside: it stops the process for a few milliseconds, notes the
// registers of all threads, splits off a copy-on-write child, lets the process go on, and writes an ELF core that Delve
// opens from the child at leisure.
package snapshot
