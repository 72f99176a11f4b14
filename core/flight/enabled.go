//go:build !norecord

package flight

// Enabled is false in a build with -tags norecord: nothing is recorded.
const Enabled = true
