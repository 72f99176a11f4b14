//go:build race || !(amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package flight

import "sync/atomic"

// put stores a word that a reader may be loading. Here the store is atomic:
// under the race detector so that it judges the same words readers load, and
// on 32-bit platforms because a plain one is two stores.
func put(p *uint64, v uint64) { atomic.StoreUint64(p, v) }

// putLast stores a word so that whoever loads it sees all stores before it.
func putLast(p *uint64, v uint64) { atomic.StoreUint64(p, v) }
