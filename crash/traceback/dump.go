package traceback

// The limits of a dump; package traceback says what happens there.
const (
	maxGoroutines = 1 << 18
	maxFrames     = 256 // of one goroutine; the runtime prints at most 100
	maxAllFrames  = 1 << 20
	maxDetailed   = 1024 // goroutines whose frames are kept as printed
	maxLabels     = 64
	labelBytes    = 1 << 10 // of a key, of a value
	argsBytes     = 1 << 10
	lineBytes     = 64 << 10
	reasonBytes   = 16 << 10
)

// Dump is what a text says of a process and its goroutines. Nothing in it refers to the text. It is plain data: any
// goroutine may read it.
type Dump struct {
	// Reason says why the process died: "panic: ...", "fatal error: ...", "SIGQUIT: quit", "runtime: out of memory...";
	// further panics follow as lines of their own, each with a tab before it, as printed. It is "" when the text has none:
	// the runtime's own fatal errors never reach the crash output (golang/go#76859).
	Reason     string
	Signal     string      // name of the signal, SIGSEGV, "" for none
	Runtime    []Frame     // the "runtime stack:" of a fatal error on the scheduler's own stack
	Goroutines []Goroutine // in the order of the text
	Cut        bool        // a limit was met, something is missing

	inC bool // a signal arrived while the first goroutine was in C
}

// Goroutine is one paragraph of a dump.
type Goroutine struct {
	ID      uint64 // 0 for the scheduler's own stack of a thread
	State   string // running, chan receive, ...
	Minutes int    // since when it waits
	Locked  bool   // to its thread
	Labels  map[string]string
	Frames  []Frame // innermost first; read-only, goroutines may share them
	Created Frame   // the go statement, zero when not printed
	Creator uint64  // goroutine that created it, 0 when not printed
	Elided  bool    // frames in the middle are missing

	late bool // Frames were printed after the crash, when its thread was asked for them
}

// Frame is one call. What was not printed is zero.
type Frame struct {
	Func   string // with its package path, without arguments: vitrine/core/engine.(*worker).turn; of C: its name, or "non-Go function"
	File   string
	Line   int
	Args   string // as printed, without parentheses
	Offset uint64 // of the program counter in the function
	FP     uint64
	SP     uint64
	PC     uint64
}

// nonGo is the function of a frame of C that nobody can name.
const nonGo = "non-Go function"
