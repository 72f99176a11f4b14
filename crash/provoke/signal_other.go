//go:build !unix

package provoke

import "syscall"

// signalName is "": nobody is ended by a signal here.
func signalName(syscall.Signal) string { return "" }
