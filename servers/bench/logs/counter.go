//go:build linux

package logs

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxCallers bounds the goroutines that log.
const maxCallers = 64

// counter is how many calls of each caller have returned, in memory that two
// processes share and that outlives the one that counts:
//
//	0        8       64       72      128
//	+--------+-------+--------+-------+-- ..
//	| calls  |   -   | calls  |   -   |         one line of the cache a caller
//	+--------+-------+--------+-------+-- ..
//
// Each word has one writer, its caller in the child. The parent only reads.
type counter struct {
	words  []atomic.Uint64 // fixed; every eighth is used
	memory []byte
}

const (
	counterStep  = 8 // words from one caller to the next
	counterBytes = maxCallers * counterStep * 8
)

// openCounter maps a file, which it makes when it is missing.
func openCounter(path string) (*counter, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err = f.Truncate(counterBytes); err != nil {
		return nil, fmt.Errorf("make counter: %w", err)
	}
	memory, err := unix.Mmap(int(f.Fd()), 0, counterBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map counter: %w", err)
	}
	words := unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&memory[0])), counterBytes/8)
	return &counter{words: words, memory: memory}, nil
}

// returned stores that so many calls of a caller have come back. It is ordered
// after them, on every processor.
func (c *counter) returned(caller int, calls uint64) { c.words[caller*counterStep].Store(calls) }

// calls reads the figures of the first callers.
func (c *counter) calls(callers int) []uint64 {
	all := make([]uint64, callers)
	for i := range all {
		all[i] = c.words[i*counterStep].Load()
	}
	return all
}

func (c *counter) close() { _ = unix.Munmap(c.memory) } // Only a wrong address fails.
