//go:build amd64 && !race

package flight

// put stores a word that a reader may be loading. On every 64-bit platform an
// aligned store of a word is one store.
func put(p *uint64, v uint64) { *p = v }

// putLast stores a word so that whoever loads it sees all stores before it. On
// amd64 each store is seen in program order (Intel SDM 3A 9.2.2), and the
// compiler keeps stores in the order of the program.
func putLast(p *uint64, v uint64) { *p = v }
