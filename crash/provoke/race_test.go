//go:build race

package provoke_test

// raceEnabled tells whether the race detector watches the tests.
const raceEnabled = true
