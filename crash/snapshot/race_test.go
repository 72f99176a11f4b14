//go:build race

package snapshot

// A program under the race detector has 20 TB of shadow memory in thousands of pieces, and everything is ten times slower.
const underRace = true
