package bundle

import "time"

// Schema is the version of meta.json that this package writes. Fields are added without a new version; one that changes its
// meaning gets one.
const Schema = 1

// Meta is meta.json: what is known of one crash, without the texts. Finish fills in Schema, ID and Files. A Meta belongs
// to who made it and is not for several goroutines at once.
type Meta struct {
	Schema       int               `json:"schema"`
	ID           string            `json:"id"`              // the name of the bundle's directory
	Event        string            `json:"event,omitempty"` // 32 hex digits: the id under which the report is sent
	Class        Class             `json:"class"`
	Reason       string            `json:"reason"`               // as the process said it, or as it was found out
	ReasonHow    string            `json:"reason_how,omitempty"` // text, stackscan, table, exit, watchdog, hook
	Handled      bool              `json:"handled"`              // recovered: the process went on
	Live         bool              `json:"live"`                 // the core is of a process that went on
	Time         time.Time         `json:"time"`
	Process      Process           `json:"process"`
	Exit         *Exit             `json:"exit,omitempty"` // nil while it lives
	Build        Build             `json:"build"`
	Where        Where             `json:"where"`
	Trace        string            `json:"trace,omitempty"` // 32 hex digits
	Span         string            `json:"span,omitempty"`  // 16 hex digits
	Fingerprint  string            `json:"fingerprint,omitempty"`
	Goroutine    uint64            `json:"goroutine,omitempty"`  // the one that panicked
	Goroutines   int               `json:"goroutines,omitempty"` // how many there were
	Timings      Timings           `json:"timings"`
	Capabilities map[string]string `json:"capabilities,omitempty"`
	Core         Core              `json:"core"`
	Dropped      map[string]uint64 `json:"dropped,omitempty"` // what did not fit, by kind
	Before       Before            `json:"before"`
	Files        []File            `json:"files"`
	Problems     []string          `json:"problems,omitempty"` // what is missing from the bundle, and why
}

// Process is the process that the bundle is about.
type Process struct {
	PID     int       `json:"pid"`
	Name    string    `json:"name,omitempty"`
	Args    []string  `json:"args,omitempty"` // scrubbed by who gives them
	Started time.Time `json:"started,omitzero"`
}

// Exit is how the process ended.
type Exit struct {
	Known      bool   `json:"known"` // false: the kernel did not tell
	Code       int    `json:"code"`
	Signal     string `json:"signal,omitempty"`
	CoreDumped bool   `json:"core_dumped"` // by the kernel
}

// Build is the program that ran.
type Build struct {
	ID       string `json:"id,omitempty"`
	Go       string `json:"go,omitempty"`
	Module   string `json:"module,omitempty"`
	Version  string `json:"version,omitempty"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified"`
	OS       string `json:"os,omitempty"`
	Arch     string `json:"arch,omitempty"`
}

// Where is the place in the program: what was running, for whom, and the function and line.
type Where struct {
	Server   string `json:"server,omitempty"`
	Worker   int    `json:"worker"` // from 0, -1 = none
	Callback string `json:"callback,omitempty"`
	Session  string `json:"session,omitempty"` // 64-bit ids are texts
	Packet   uint16 `json:"packet,omitempty"`  // the type of the packet in hand
	Function string `json:"function,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// Timings are by the clock of the monitor. 0 = it did not happen.
type Timings struct {
	StopUS      int64 `json:"stop_us,omitempty"`      // the process stood still
	SeizeUS     int64 `json:"seize_us,omitempty"`     // of it: until all threads were stopped
	RegistersUS int64 `json:"registers_us,omitempty"` // of it: reading their registers
	ForkUS      int64 `json:"fork_us,omitempty"`      // of it: the copy-on-write child
	TextMS      int64 `json:"text_ms,omitempty"`      // from the first byte of the crash to the text on the disk
	DeadMS      int64 `json:"dead_ms,omitempty"`      // to the end of the process
	CompleteMS  int64 `json:"complete_ms,omitempty"`  // to the whole bundle
}

// The states of a core.
const (
	CoreWritten = "written"
	CoreCut     = "cut"  // met its limit: what is there is valid
	CoreNone    = "none" // Why says why
)

// Core is the core file of a bundle.
type Core struct {
	State      string `json:"state"` // written, cut, none
	Why        string `json:"why,omitempty"`
	File       string `json:"file,omitempty"`
	Bytes      int64  `json:"bytes,omitempty"`    // as it lies on the disk
	Apparent   int64  `json:"apparent,omitempty"` // expanded, holes included
	SHA256     string `json:"sha256,omitempty"`   // of the file as it lies on the disk
	Thread     int    `json:"thread,omitempty"`   // the first in the core
	Executable string `json:"executable,omitempty"`
}

// Before is what the store had seen of a fingerprint before.
type Before struct {
	Count    uint64    `json:"count"` // earlier crashes
	First    time.Time `json:"first,omitzero"`
	Last     time.Time `json:"last,omitzero"`
	HeldBack uint64    `json:"held_back,omitempty"` // those of Count without a bundle of their own
}

// File is one file of a bundle.
type File struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Cut   bool   `json:"cut,omitempty"` // a part is missing: it met a limit, or its writer died
}
