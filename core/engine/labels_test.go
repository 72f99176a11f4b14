//go:build linux

package engine

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"testing"
)

// Dumps and profiles name each worker: its server, its index.
func TestWorkersBearLabels(t *testing.T) {
	turned := make(chan struct{}, 2)
	cfg := Config{Name: "labelled", Addr: "127.0.0.1:0", Workers: 2}
	cfg.Observer.Beat = func(int) Beat { turned <- struct{}{}; return nil }
	srv, err := New(cfg, echoHandler{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	defer srv.Stop(context.Background())
	<-turned // labels are set before
	<-turned
	var dump bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&dump, 1); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"server":"labelled", "worker":"0"`, `"server":"labelled", "worker":"1"`} {
		if !strings.Contains(dump.String(), want) {
			t.Errorf("no goroutine with %s in\n%s", want, dump.String())
		}
	}
}
