package blackbox

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Errors that callers branch on, wrapped with the path.
var (
	// ErrInUse is Create's answer while the process that made the box lives.
	ErrInUse = errors.New("the black box is in use by a running process")
	// ErrFormat is the answer of Read and Open to a file that is no black box of
	// this version, or whose header is damaged.
	ErrFormat = errors.New("not a black box of this version")
)

// Header says whose box it is.
type Header struct {
	PID     int       // 0 in Create means this process
	Started time.Time // zero in Create means now
	Boot    uint64    // the process's own random id
	Build   string    // build id, at most MaxBuild bytes
	Name    string    // at most MaxName bytes
}

// Box is the black box of this process, or, from Open, that of another. Its
// methods may be called from any goroutine, the two of a Beat aside, and on a
// nil Box, where they do nothing. Nothing but Create, Open and Close calls the
// system, and none of the others allocates but Loop, Loops and State.
type Box struct {
	image   *image       // fixed
	release func() error // lets go of the file; nil on the heap; fixed
	owner   bool         // made by Create; fixed

	mu     sync.Mutex
	note   uint64 // number of the last note; guarded by mu
	metric uint64 // number of the last metrics; guarded by mu
}

// Create makes the box of this process at path, mode 0600. A file that an
// earlier process left there is kept as path.prev, in place of the one before
// it; a box whose process lives is ErrInUse. The file is locked until Close.
//
// On systems without such files the box is on the heap, dies with the process,
// and Shared says so.
func Create(path string, h Header) (*Box, error) {
	if h.PID == 0 {
		h.PID = os.Getpid()
	}
	if h.Started.IsZero() {
		h.Started = time.Now()
	}
	if len(h.Build) > MaxBuild || len(h.Name) > MaxName {
		return nil, fmt.Errorf("create black box %q: build of %d bytes (at most %d), name of %d (at most %d)",
			path, len(h.Build), MaxBuild, len(h.Name), MaxName)
	}
	m, release, err := createMapped(path)
	if errors.Is(err, errors.ErrUnsupported) {
		m, release, err = new(image), nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("create black box %q: %w", path, err)
	}
	m.putHeader(&h)
	return &Box{image: m, release: release, owner: true}, nil
}

// Open attaches to the box of another process, to watch its loops and to count
// steps; everything else that writes belongs to the process that made the box
// and does nothing here. The file must not be cut short while it is open: the
// kernel raises SIGBUS. It needs Linux; elsewhere the error wraps
// errors.ErrUnsupported.
func Open(path string) (*Box, error) {
	m, release, err := openMapped(path)
	if err != nil {
		return nil, fmt.Errorf("open black box %q: %w", path, err)
	}
	return &Box{image: m, release: release}, nil
}

// Shared tells whether the box outlives the process.
func (b *Box) Shared() bool { return b != nil && b.release != nil }

// Step counts a step of monitor who, 0 or 1: a word that each monitor writes
// alone and the other watches.
func (b *Box) Step(who int) {
	if b != nil && who >= 0 && who < Monitors {
		b.image.live.steps[who].count.Add(1)
	}
}

// Steps returns how many steps monitor who has made, 0 for one that is not.
func (b *Box) Steps(who int) uint64 {
	if b == nil || who < 0 || who >= Monitors {
		return 0
	}
	return b.image.live.steps[who].count.Load()
}

// Panic counts a panic that the process has caught, in any goroutine.
func (b *Box) Panic() {
	if b != nil && b.owner {
		b.image.live.panics.Add(1)
	}
}

// Panics returns how many panics the process has caught.
func (b *Box) Panics() uint64 {
	if b == nil {
		return 0
	}
	return b.image.live.panics.Load()
}

// Deadman notes that a timer will end the process at due, in nanoseconds of the
// system's monotonic clock, unless it is set again; limit is its whole time. A due
// of 0 says that it is not armed.
func (b *Box) Deadman(limit time.Duration, due int64) {
	if b != nil && b.owner {
		b.image.live.deadman.Store(int64(limit))
		b.image.live.due.Store(due)
	}
}

// Due returns what Deadman noted last, zeros where it makes no sense.
func (b *Box) Due() (limit time.Duration, due int64) {
	if b == nil {
		return 0, 0
	}
	limit, due = time.Duration(b.image.live.deadman.Load()), b.image.live.due.Load()
	if limit <= 0 || due <= 0 {
		return 0, 0
	}
	return limit, due
}

// Close says in the file that the process closed it, if this one made it, and
// lets the file go; the file stays. What is written to the box or told by a
// Beat from now on is lost, not an error: its memory stays, empty, until the
// process ends. Closing again does nothing.
func (b *Box) Close() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.owner {
		b.image.live.closed.Store(1)
	}
	if b.release == nil {
		return nil
	}
	return b.release()
}

// putHeader writes the header of a fresh image, its magic last.
func (m *image) putHeader(h *Header) {
	to := &m.header
	to.version, to.headerBytes, to.fileBytes = version, headerBytes, fileBytes
	to.pid, to.started, to.boot = uint32(h.PID), h.Started.UnixNano(), h.Boot
	to.buildLen = uint16(copy(to.build[:], h.Build))
	to.nameLen = uint16(copy(to.name[:], h.Name))
	to.magic = magic
	to.crc = m.headerCRC()
}

// check returns what is wrong with the header, nil when nothing is.
func (m *image) check() error {
	h := &m.header
	switch {
	case h.magic != magic:
		return fmt.Errorf("%w: no magic", ErrFormat)
	case h.version != version || h.headerBytes != headerBytes || h.fileBytes != fileBytes:
		return fmt.Errorf("%w: version %d", ErrFormat, h.version)
	case h.crc != m.headerCRC() || h.buildLen > MaxBuild || h.nameLen > MaxName:
		return fmt.Errorf("%w: damaged header", ErrFormat)
	}
	return nil
}
