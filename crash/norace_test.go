//go:build !race

package crash_test

// raceEnabled tells whether the race detector watches the tests.
const raceEnabled = false
