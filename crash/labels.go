package crash

import (
	"os"
	"strings"
)

// labelSetting makes tracebacks show the labels of goroutines. The runtime reads it from the environment alone, and whenever
// that changes.
const labelSetting = "tracebacklabels"

// labelTracebacks turns the setting on, unless the environment says otherwise, and returns what undoes it.
func labelTracebacks() (restore func()) {
	before, given := os.LookupEnv("GODEBUG")
	if strings.Contains(before, labelSetting+"=") || os.Setenv("GODEBUG", strings.TrimPrefix(before+","+labelSetting+"=1", ",")) != nil {
		return func() {}
	}
	if !given {
		return func() { os.Unsetenv("GODEBUG") }
	}
	return func() { os.Setenv("GODEBUG", before) }
}
