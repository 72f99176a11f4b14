package monitor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the clock of the deadman timer, in nanoseconds; 0 when it cannot be read.
func monotonic() int64 {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return now.Nano()
}

// overdue says that a server which was killed at that moment had not set its deadman timer again before it was due; "" when it had, or
// has none. One that is killed before is not the timer's; one that lives on to that moment the timer kills, so that nobody else
// needs to be thought of who might have done so just then.
func (w *watcher) overdue(killed int64) string {
	limit, due := w.box.Due()
	if due == 0 || killed < due {
		return ""
	}
	silence := time.Duration(killed - due + int64(limit)).Round(silenceUnit)
	return fmt.Sprintf("killed by SIGKILL, %v after its last sign of life: the deadman timer of crash.deadman=%v does that", silence, limit)
}

// silenceUnit is how precisely it is told for how long a server was silent.
const silenceUnit = 100 * time.Millisecond

// killedName is the file of a run directory in which a monitor that ends its server says why.
const killedName = "killed"

// killStalled ends the server because a loop makes no progress, and notes that for whoever deals with the death.
func (w *watcher) killStalled(why string) {
	if w.setup.RunDir != "" {
		if err := os.WriteFile(filepath.Join(w.setup.RunDir, killedName), []byte(why), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, "crash monitor: note that the server is ended:", err)
		}
	}
	_ = unix.PidfdSendSignal(w.pidfd, unix.SIGABRT, nil, 0) // one that has ended needs none
}

// killer tells why a monitor has ended the server, "" when none has.
func (s *Setup) killer() string {
	why, err := os.ReadFile(filepath.Join(s.RunDir, killedName))
	if s.RunDir == "" || err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(why[:min(len(why), maxReason)]), "\uFFFD")
}
