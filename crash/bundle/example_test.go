package bundle_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vitrine/crash/bundle"
)

func Example() {
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	at := time.Date(2026, 11, 22, 17, 44, 43, 108e6, time.UTC)
	store, err := bundle.Open(filepath.Join(dir, "crash"), bundle.Limits{}, func() time.Time { return at })
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	const fingerprint = "5d41402abc4b2a76"
	for range 2 {
		admitted, err := store.Admit(bundle.ClassGoroutine, fingerprint)
		if err != nil || !admitted.Bundle {
			fmt.Println("no bundle:", admitted.Why, err)
			continue
		}
		w, err := store.Begin(bundle.ClassGoroutine, fingerprint, 7148, at)
		if err != nil {
			fmt.Println(err)
			return
		}
		w.Write("crash.txt", []byte("panic: player 42 has hp -1\n")) // what fails is told in meta.json
		id, err := w.Finish(&bundle.Meta{Reason: "panic: player 42 has hp -1", ReasonHow: "text", Before: admitted.Before})
		fmt.Println(id, err)
	}
	last, err := store.Find("last")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := last.Meta()
	fmt.Println(m.Class, m.Reason, m.Files, err)
	// Output:
	// 20261122T174443.108Z-7148-goroutine-5d41402a <nil>
	// no bundle: a bundle of this fingerprint was written a moment ago <nil>
	// goroutine panic: player 42 has hp -1 [{crash.txt 27 false}] <nil>
}
