//go:build race

package segment

// poolsForget tells that sync.Pool drops values at random, as it does under the race detector.
const poolsForget = true
