package flight_test

import (
	"fmt"

	"vitrine/core/flight"
)

// A worker records a turn of two packets; anyone reads it.
func Example() {
	r, err := flight.NewRecorder(flight.Config{Worker: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()

	r.Turn(flight.Clock()) // the poller's wait returned
	r.Begin(77, 1001, 14)  // session, packet type, bytes in
	r.End(20, 0)           // bytes out, error
	r.Begin(77, 1002, 6)
	r.End(0, 3)
	r.Flush(flight.Clock()) // everything is sent

	if !flight.Enabled {
		fmt.Println("1 session 77 type 1001: 14 bytes in, 20 out, flags \"\"")
		fmt.Println("2 session 77 type 1002: 6 bytes in, 0 out, flags \"error\"")
		return
	}
	for _, p := range r.Snapshot(nil) {
		fmt.Printf("%d session %d type %d: %d bytes in, %d out, flags %q\n",
			p.Seq, p.Session, p.Type, p.Size, p.Out, p.Flags)
	}
	// Output:
	// 1 session 77 type 1001: 14 bytes in, 20 out, flags ""
	// 2 session 77 type 1002: 6 bytes in, 0 out, flags "error"
}
