package monitor

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/scrub"
)

// Marker is the variable of the environment that makes a program a monitor; its value is the role.
const Marker = "VITRINE_CRASH_MONITOR"

// The roles of monitors, values of [Marker].
const (
	RoleFirst   = "first"   // acts
	RoleReserve = "reserve" // acts when the first does not
	RoleText    = "text"    // reads text alone, where there is no packet pipe: setup, text and end come through standard input
)

// Descriptors of a monitor's files.
const (
	fdRead    = 3 // the crash pipe's reading end
	fdWrite   = 4 // and its writing end, to make it larger
	fdControl = 5 // the socket to the server
	fdServer  = 6 // the server's pidfd: one that the monitor opened itself would come late for a server that dies at once
)

// Setup is what a monitor knows of its server: the first frame.
type Setup struct {
	Process      bundle.Process
	Build        bundle.Build
	Boot         uint64
	Executable   string // path of the program, for whoever opens the core
	Dir          string // where bundles are
	RunDir       string // what outlives the server: black box and flight files
	Box          string // path of the black box
	Peer         int    // process id of the other monitor, 0 = none
	Limits       bundle.Limits
	Scrub        scrub.Config
	Sentry       Sentry
	Files        []FileSource
	Static       map[string][]byte // files of every bundle, such as config.json, with nothing secret in them
	Stall        time.Duration     // a loop that is in one turn for so long is reported; 0 = none is
	KillStall    bool              // and its server is ended by SIGABRT
	Cores        bool              // bundles get a core where the machine allows it
	Capabilities map[string]string // what the machine lets us do, for meta.json; a later frame knows more
	KernelCore   string            // where the kernel writes its own core when a signal kills the server, as core_pattern; "" = it writes none
}

// Sentry says where reports are sent.
type Sentry struct {
	DSN, Environment, Release, Server string
	Budget                            int64 // compressed bytes of attachments; 0 = default
	PerHour                           int   // reports of one fingerprint in an hour; 0 = default, 1
}

// FileSource is a file that the monitor copies into each bundle after the death.
type FileSource struct {
	Name    string // in the bundle
	Pattern string // as of path/filepath.Glob; the newest match is taken
	Max     int64  // the last so many bytes; 0 = MaxSource
}

// Capture asks for a report of a server that lives on.
type Capture struct {
	ID          uint64
	Class       bundle.Class
	Reason      string
	How         string
	Thread      int    // the thread that is the subject, 0 = none
	Text        []byte // traceback
	Where       bundle.Where
	Trace, Span string
	Fingerprint string
	At          time.Time
	Core        bool // wanted
	Before      uint64
	Panics      uint64 // caught by the server until then
	Held        bool   // the report waits: it is written only when the server dies without a text of its own
}

// Captured answers a Capture as soon as the server may go on.
type Captured struct {
	ID      uint64
	StopUS  int64  // how long the server stood still
	Problem string // why there is no snapshot, "" when there is one
}

// Explain asks the server for what only it knows.
type Explain struct{ ID uint64 }

// Sources answers Explain, and follows each Capture: files for the bundle.
type Sources struct {
	ID    uint64
	Text  []byte // traceback of all goroutines, "" when the capture had one
	Files map[string][]byte
}

// Reap asks the server to wait for a child of its own that a snapshot was.
type Reap struct{ PID int }

// Done tells what became of a capture.
type Done struct {
	ID      uint64
	Class   bundle.Class
	Path    string // of the bundle, "" when there is none
	Problem string
}

// Ready tells what a monitor can do.
type Ready struct {
	PID    int
	Ptrace string // "yes", or why not; "" of the reserve, which does not try
}

// End tells that the server ends in good order: what follows is no crash.
type End struct{}

// message kinds, by type.
const (
	kindSetup = iota + 1
	kindCapture
	kindCaptured
	kindExplain
	kindSources
	kindReap
	kindDone
	kindReady
	kindEnd
)

// Conn frames messages over a stream. Send may be called from any goroutine, Receive from one.
type Conn struct {
	mu sync.Mutex // guards writes
	rw io.ReadWriter
	r  *bufio.Reader
}

// NewConn returns a connection over a stream that the caller closes.
func NewConn(rw io.ReadWriter) *Conn { return &Conn{rw: rw, r: bufio.NewReader(rw)} }

var errFrame = errors.New("bad frame on the control socket")

// Send writes one message. It blocks while the peer does not read; give the stream a deadline.
func (c *Conn) Send(message any) error {
	kind, err := kindOf(message)
	if err != nil {
		return err
	}
	body, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if len(body) > MaxFrame {
		return fmt.Errorf("%w: %d bytes", errFrame, len(body))
	}
	frame := binary.LittleEndian.AppendUint32(make([]byte, 0, 5+len(body)), uint32(len(body)))
	frame = append(append(frame, kind), body...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.rw.Write(frame); err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

// Receive reads the next message: a pointer to one of the types above. io.EOF says that the peer is gone.
func (c *Conn) Receive() (any, error) {
	var head [5]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(head[:])
	message := messageOf(head[4])
	if size > MaxFrame || message == nil {
		return nil, fmt.Errorf("%w: kind %d of %d bytes", errFrame, head[4], size)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(c.r, body); err != nil {
		return nil, fmt.Errorf("receive message: %w", err)
	}
	if err := json.Unmarshal(body, message); err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	return message, nil
}

func kindOf(message any) (byte, error) {
	switch message.(type) {
	case *Setup:
		return kindSetup, nil
	case *Capture:
		return kindCapture, nil
	case *Captured:
		return kindCaptured, nil
	case *Explain:
		return kindExplain, nil
	case *Sources:
		return kindSources, nil
	case *Reap:
		return kindReap, nil
	case *Done:
		return kindDone, nil
	case *Ready:
		return kindReady, nil
	case *End:
		return kindEnd, nil
	}
	return 0, fmt.Errorf("%w: no kind for %T", errFrame, message)
}

func messageOf(kind byte) any {
	switch kind {
	case kindSetup:
		return new(Setup)
	case kindCapture:
		return new(Capture)
	case kindCaptured:
		return new(Captured)
	case kindExplain:
		return new(Explain)
	case kindSources:
		return new(Sources)
	case kindReap:
		return new(Reap)
	case kindDone:
		return new(Done)
	case kindReady:
		return new(Ready)
	case kindEnd:
		return new(End)
	}
	return nil
}
