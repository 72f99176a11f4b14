package snapshot_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"vitrine/crash/snapshot"
)

// A monitor takes the picture of a server that goes on serving, and writes its core meanwhile.
func ExampleTake() {
	server := os.Getppid()
	s, err := snapshot.Take(server, snapshot.Options{})
	if err != nil {
		log.Print(err) // the server runs
		return
	}
	defer s.Release() // then the server waits for s.Orphan()
	f, err := os.OpenFile("core.zst", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		log.Print(err)
		return
	}
	defer f.Close()
	core, err := s.WriteCore(f, snapshot.CoreOptions{MaxBytes: 1 << 30})
	log.Printf("stopped %v, core of %d bytes, cut %v: %v", s.Times.Stopped, core.Written, core.Cut, err)
}

// Delve wants the core as a plain file; its zeros take no room on the disk.
func ExampleExpand() {
	packer, _ := zstd.NewWriter(nil)
	packed := packer.EncodeAll(append(make([]byte, 1<<20), "end"...), nil)

	dir, _ := os.MkdirTemp("", "snapshot")
	defer os.RemoveAll(dir)
	core, _ := os.Create(filepath.Join(dir, "core"))
	defer core.Close()
	err := snapshot.Expand(core, bytes.NewReader(packed))
	info, _ := core.Stat()
	fmt.Println(info.Size(), err)
	// Output: 1048579 <nil>
}
