package probe

import (
	"io"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode"
)

// What the files of the system may hold.
const (
	maxFileBytes   = 64 << 10
	maxMountsBytes = 1 << 20
	maxTextBytes   = 256
)

// host is the machine as the probes see it; the tests give them others.
type host struct {
	root   fs.FS // its /
	env    func(string) string
	pid    int // of this process
	os     string
	arch   string
	kernel kernel
}

// kernel is what only system calls tell.
type kernel interface {
	release() string                         // "" when it cannot be told
	coreLimit() (soft, hard uint64, ok bool) // RLIMIT_CORE
	dumpable() (yes, ok bool)                // PR_GET_DUMPABLE
	pidfdInfo() (ok bool, supported uint64)  // PIDFD_GET_INFO is there, and the mask it says it knows
	pagemapScan() bool                       // PAGEMAP_SCAN is there
}

func thisHost() *host {
	return &host{
		root: os.DirFS("/"), env: os.Getenv, pid: os.Getpid(),
		os: runtime.GOOS, arch: runtime.GOARCH, kernel: thisKernel{},
	}
}

// read returns the front of a file, "" and false when there is none to be read.
func (h *host) read(name string, max int64) (string, bool) {
	f, err := h.root.Open(name)
	if err != nil {
		return "", false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max))
	return string(b), err == nil
}

// text returns a short file as one clean line.
func (h *host) text(name string) (string, bool) {
	s, ok := h.read(name, maxFileBytes)
	s, _, _ = strings.Cut(s, "\n")
	return clean(s), ok
}

// number returns a file that holds one integer, Unknown when it does not.
func (h *host) number(name string) int {
	s, ok := h.text(name)
	n, err := strconv.Atoi(s)
	if !ok || err != nil || n < 0 {
		return Unknown
	}
	return n
}

func (h *host) exists(name string) bool {
	_, err := fs.Stat(h.root, name)
	return err == nil
}

// clean makes one short printable line of what a file holds.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(s)
	if len(s) > maxTextBytes {
		s = strings.ToValidUTF8(s[:maxTextBytes], "")
	}
	return s
}
