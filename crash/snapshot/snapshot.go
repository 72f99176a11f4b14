package snapshot

import (
	"errors"
	"time"
)

// The limits. What happens at each is said where it acts.
const (
	// MaxThreads is the largest number of threads of a process that is stopped, the limit of the Go runtime itself;
	// Take refuses one with more.
	MaxThreads = 10_000
	// MaxSegments is the largest number of segments of a core; memory beyond is left out and the core is marked cut.
	MaxSegments = 65_000
	// MaxThrowBytes is the longest reason that ThrowText gives.
	MaxThrowBytes = 512
	// MaxExpandBytes is the largest apparent size that Expand makes; beyond it is an error.
	MaxExpandBytes = 1 << 40
	// DefaultStop is Options.Deadline when it is 0.
	DefaultStop = 2 * time.Second
	// DefaultCoreBytes is CoreOptions.MaxBytes when it is 0.
	DefaultCoreBytes = 4 << 30
	// DefaultCoreTime is CoreOptions.Deadline when it is 0.
	DefaultCoreTime = 2 * time.Minute
)

// Errors that a caller branches on.
var (
	// ErrNoFork says that the kernel refused the copy: the process runs on, and Take with Options.Direct is what is left.
	ErrNoFork = errors.New("no copy of the process")
	// ErrGone says that the process ended before the picture was taken.
	ErrGone = errors.New("the process has ended")
	// ErrReleased says that the snapshot was used after Release.
	ErrReleased = errors.New("snapshot released")
)

// OrphanError is a picture that failed when the copy was there already. It has been ended, and the process, if it goes on
// living, must wait for it as for Snapshot.Orphan.
type OrphanError struct {
	PID int // the copy
	Err error
}

// Error gives the text of what went wrong.
func (e *OrphanError) Error() string { return e.Err.Error() }

// Unwrap gives what went wrong.
func (e *OrphanError) Unwrap() error { return e.Err }

// Options say how a process is stopped. The zero value is good for a process that is not dying.
type Options struct {
	// Thread is the thread whose goroutine is the subject, the first one of the core, which readers show as current. 0,
	// or a thread that is not there: the one that writes to Pipe, else one that a fatal signal stops, else the main thread.
	Thread int
	// Pipe is the inode of the crash pipe; 0: none.
	Pipe uint64
	// Deadline bounds the stop of all threads; default DefaultStop. At the limit all of them run again and Take fails.
	Deadline time.Duration
	// Fault says that a thread faults again and again: it is let run to its next fault, where its registers tell most, and is
	// the subject. All that are not in a system call run on for it, for FaultLimit at most; when none faults, nothing changes.
	Fault bool
	// Direct makes Take keep the process stopped until Release when the kernel refuses the copy, and read the process
	// itself. Only for a process that is dying anyway: without it Take gives ErrNoFork.
	Direct bool
}

// Snapshot is a process as it was at one moment: its registers and, in a child that never runs, its memory. It belongs
// to who took it; its methods may be called from any goroutine, one at a time. The fields are fixed after Take.
type Snapshot struct {
	PID     int // the process
	Child   int // the copy; 0: the kernel refused it, the process stands still until Release (Options.Direct)
	Thread  int // the subject
	Threads int
	Times   Times

	state // what the platform needs
}

// Times say how long the process stood still and for what.
type Times struct {
	Seize     time.Duration // from the first interrupt until every thread stood
	Registers time.Duration
	Fork      time.Duration
	Stopped   time.Duration // from the first interrupt until every thread was let go
}

// Prepared tells what Prepare did.
type Prepared struct {
	Moved    int  // pages of 2 MiB that were made
	Refused  int  // that the kernel did not make
	Complete bool // all memory was looked through within the budget
}

// Range is a part of the address space.
type Range struct{ Start, Size uint64 }

// CoreOptions say what goes into a core.
type CoreOptions struct {
	Exclude  []Range             // written as zeros
	MaxBytes int64               // of the compressed core; default DefaultCoreBytes; the ELF headers are written in any case
	Deadline time.Duration       // for the whole core; default DefaultCoreTime
	Step     func(written int64) // called at least every 16 MiB of memory with the compressed bytes so far; may sleep to pace; nil: none
}

// Core tells of a core that was written. Apparent = headers + Data + Holes, unless it is cut; what was excluded or could
// not be read stands as zeros and is counted in Data or Holes too.
type Core struct {
	Threads    int
	Segments   int
	Apparent   int64  // size of the ELF file once expanded, bytes
	Data       int64  // bytes of memory in it
	Holes      int64  // bytes of pages that are absent or hold zeros alone
	Excluded   int64  // bytes that were left out on demand
	Unreadable int64  // bytes that could not be read and stand as zeros
	Written    int64  // compressed bytes
	SHA256     string // of the compressed bytes, hex
	Cut        bool   // a limit was met: what is there is valid, the end is missing
}

// Throw is the frame of runtime.throw and its like in a traceback: the address of its string argument, the length as
// printed, which may be garbage, and the stack range of the frame.
type Throw struct{ Pointer, Length, FP, SP uint64 }
