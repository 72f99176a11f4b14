package monitor

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// Serve is the monitor's main: it serves the role and never returns. Only a process that was started as a monitor calls it.
func Serve(role string) {
	debug.SetGCPercent(25)
	debug.SetMemoryLimit(memoryGoal)
	if err := serve(role); err != nil {
		fmt.Fprintf(os.Stderr, "%s crash monitor %s: %v\n", time.Now().UTC().Format(time.RFC3339), role, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// memoryGoal is what a monitor at work tries to stay below, in bytes.
const memoryGoal = 128 << 20

// newEvent draws the id under which a report is sent: 32 hex digits.
func newEvent() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
