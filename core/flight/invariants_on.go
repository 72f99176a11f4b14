//go:build invariants

package flight

const invariants = true
