//go:build !linux || !amd64

package provoke

import "errors"

// CanRefuseTracing tells whether RefuseTracing can be had on this platform.
const CanRefuseTracing = false

// untracedLacks says what is missing for [Options.Untraced]; "" = nothing.
const untracedLacks = "a filter that refuses ptrace is set up on linux/amd64 alone"

// RefuseTracing needs linux/amd64.
func RefuseTracing([]string) error { return errors.New(untracedLacks) }
