package probe_test

import (
	"fmt"

	"vitrine/crash/probe"
)

func Example() {
	c := probe.Run()
	for _, row := range c.Rows() {
		if !row.OK {
			_ = fmt.Sprintf("%s: %s: %s", row.Name, row.Value, row.Help)
		}
	}
	fmt.Println(len(c.Line()) == 2*len(c.Rows()))
	// Output: true
}
