//go:build linux

package logs

import (
	"fmt"
	"os"
	"testing"

	"github.com/alecthomas/kong"
)

// TestMain makes the test binary the child that is killed, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childName {
		var child ChildCommand
		parser := kong.Must(&child)
		_, err := parser.Parse(os.Args[2:])
		if err == nil {
			err = child.Run()
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
