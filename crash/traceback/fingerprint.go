package traceback

import (
	"fmt"
	"hash/fnv"
	"io"
)

// fingerprintFrames is how many functions make a fingerprint.
const fingerprintFrames = 8

// Fingerprint names a kind of crash with 16 hexadecimal digits, made of the kind and of the innermost eight functions
// that are InApp; where none is, of the innermost eight of any package. The stack may be given whole or as App returns
// it. Lines, values and addresses do not count, so that a fingerprint outlives a rebuild.
func Fingerprint(kind string, frames []Frame) string {
	frames = app(frames)
	h := fnv.New64a()
	io.WriteString(h, kind)
	if n := writeFunctions(h, frames, InApp); n == 0 {
		writeFunctions(h, frames, func(Frame) bool { return true })
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

func writeFunctions(w io.Writer, frames []Frame, want func(Frame) bool) int {
	n := 0
	for _, f := range frames {
		if n < fingerprintFrames && want(f) {
			io.WriteString(w, "\n"+f.Func)
			n++
		}
	}
	return n
}

// The constants of FNV-1a.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// ProgramCounters names a kind of crash within one build and one process, without an allocation and without looking up
// functions: a hash of the kind and of all pcs, which begin where the caller wants them to. It equals no Fingerprint.
func ProgramCounters(kind string, pcs []uintptr) uint64 {
	h := uint64(fnvOffset)
	for i := range len(kind) {
		h = (h ^ uint64(kind[i])) * fnvPrime
	}
	for _, pc := range pcs {
		h = (h ^ uint64(pc)) * fnvPrime
		h ^= h >> 29 // a pc differs in its low bits, and a product moves bits up alone
	}
	return h
}
