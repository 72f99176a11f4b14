//go:build !invariants

package poller

const invariants = false
