package sentry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/sentry"
	"vitrine/crash/sentry/sentrytest"
)

// A bundle goes into the spool while Sentry is down, and is sent when it is up.
func Example() {
	dir, err := os.MkdirTemp("", "sentry")
	must(err)
	defer os.RemoveAll(dir)
	text := "panic: no such player\n\ngoroutine 7 [running]:\nvitrine/game.(*world).move(0xc000012345)\n\t/src/game/world.go:41 +0x1d\n"
	must(os.WriteFile(filepath.Join(dir, "crash.txt"), []byte(text), 0o600))

	sink := sentrytest.New()
	defer sink.Close()
	s, err := sentry.New(sentry.Config{DSN: sink.DSN(), Spool: filepath.Join(dir, "spool"), Environment: "test"})
	must(err)
	m := &bundle.Meta{ID: "20261122T174443.108Z-7-goroutine-1", Class: bundle.ClassGoroutine, Reason: "panic: no such player", Time: time.Now()}
	must(s.Put(dir, m))

	sink.Down(true)
	r, err := s.Send(context.Background())
	fmt.Println("down:", r.Sent, "sent,", r.Kept, "kept,", err != nil)
	sink.Down(false)
	must(s.Resume())
	r, err = s.Send(context.Background())
	fmt.Println("up:", r.Sent, "sent,", r.Kept, "kept,", err)
	for _, e := range sink.Events() {
		fmt.Println(e.Times, "time:", e.Fields["level"], string(e.Attachment("crash.txt")[:21]))
	}
	// Output:
	// down: 0 sent, 1 kept, true
	// up: 1 sent, 0 kept, <nil>
	// 1 time: fatal panic: no such player
}

// must ends the example at an error, but for one that says that enough was told already.
func must(err error) {
	if err != nil && !errors.Is(err, sentry.ErrHeldBack) {
		panic(err)
	}
}
