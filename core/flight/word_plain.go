//go:build (arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x) && !race

package flight

import "sync/atomic"

// put stores a word that a reader may be loading. On every 64-bit platform an
// aligned store of a word is one store.
func put(p *uint64, v uint64) { *p = v }

// putLast stores a word so that whoever loads it sees all stores before it: a
// store with release, which is what the atomic store costs here (STLR).
func putLast(p *uint64, v uint64) { atomic.StoreUint64(p, v) }
