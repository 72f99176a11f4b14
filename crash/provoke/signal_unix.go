//go:build unix

package provoke

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// signalName is the name of a signal, such as SIGABRT.
func signalName(s syscall.Signal) string { return unix.SignalName(s) }
