//go:build !linux || !amd64

package provoke

import "errors"

// untracedLacks says what is missing for [Options.Untraced]; "" = nothing.
const untracedLacks = "a filter that refuses ptrace is set up on linux/amd64 alone"

func refuseTracing([]string) error { return errors.New(untracedLacks) }
