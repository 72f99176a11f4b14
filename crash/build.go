package crash

import (
	"os"

	"vitrine/crash/probe"
)

// buildID returns the id that the linker gave this program, "" when it cannot be read.
func buildID() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return probe.BuildID(path)
}
