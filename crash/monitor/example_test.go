package monitor_test

import (
	"bytes"
	"fmt"

	"vitrine/crash/monitor"
)

// A server tells its monitor that what follows is no crash.
func ExampleConn() {
	var socket bytes.Buffer
	c := monitor.NewConn(&socket)
	if err := c.Send(&monitor.End{}); err != nil {
		panic(err)
	}
	message, err := c.Receive()
	fmt.Printf("%T %v\n", message, err)
	// Output: *monitor.End <nil>
}
