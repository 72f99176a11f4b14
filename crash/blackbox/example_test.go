package blackbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vitrine/crash/blackbox"
)

func Example() {
	dir, _ := os.MkdirTemp("", "blackbox")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "server.box")

	box, err := blackbox.Create(path, blackbox.Header{Name: "game-1", Started: time.Unix(0, 0)})
	if err != nil {
		fmt.Println(err)
		return
	}
	worker, _ := box.Loop("worker 0")
	worker.Begin()
	worker.End()
	worker.Begin()
	box.Note("session 7 opened")
	box.Metrics([]byte(`{"sessions":1}`))

	// Whatever happens to the process now, this is what another one reads.
	if box.Shared() {
		_, err = blackbox.Read(path)
	}
	state := box.State()
	fmt.Println(state.Name, state.Loops, state.Notes, string(state.Metrics), err)
	box.Close()
	// Output: game-1 [{worker 0 2 true}] [session 7 opened] {"sessions":1} <nil>
}
