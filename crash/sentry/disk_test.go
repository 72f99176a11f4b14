package sentry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// fullDisk takes a number of bytes of each file and no more.
type fullDisk struct {
	output
	room int
}

func (f *fullDisk) Write(b []byte) (int, error) {
	if len(b) > f.room {
		n, _ := f.output.Write(b[:f.room])
		f.room = 0
		return n, errDisk
	}
	f.room -= len(b)
	return f.output.Write(b)
}

// fill makes the spool's disk take that many bytes per file.
func (w *world) fill(room int) {
	w.hooks.create = func(name string) (output, error) {
		f, err := createFile(name)
		return &fullDisk{f, room}, err
	}
}

// noise is a JSON file that hardly compresses.
func noise(n int) string {
	var b strings.Builder
	b.WriteString("[0")
	for b.Len() < n {
		fmt.Fprintf(&b, ",%d", rand.Uint32())
	}
	return b.String() + "]"
}

func TestFullDiskTakesTheEventAlone(t *testing.T) {
	w := newWorld(t, nil)
	w.fill(8 << 10)
	must(t, w.Put(newBundle(t, "flight.json", noise(64<<10)), w.meta(0)))
	w.tidy()
	r := w.send()
	w.arrived(1)
	if e := w.sink.Events()[0]; r.Sent != 1 || len(e.Attachments) != 0 || w.counts().Bare != 1 {
		t.Errorf("%+v, %d attachments, counts %+v", r, len(e.Attachments), w.counts())
	}
}

func TestDiskWithoutRoomIsAnError(t *testing.T) {
	w := newWorld(t, nil)
	w.fill(100)
	dir := newBundle(t)
	if err := w.Put(dir, w.meta(0)); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), w.meta(0).Event) {
		t.Errorf("%v, want %v and the event", err, errDisk)
	}
	w.tidy()
	if ids := w.spooledIDs(); len(ids) != 0 {
		t.Errorf("in the spool: %v", ids)
	}
	w.hooks.create = createFile
	w.put(dir, 0, 1)
	w.send()
	w.arrived(1)
}

// What waits is sent although nothing can be written, and nothing goes twice.
func TestFullDiskStillSends(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 5)
	w.fill(0)
	r, err := w.Send(context.Background())
	if !errors.Is(err, errState) || !errors.Is(err, errDisk) || r.Sent != 5 || r.Kept != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	w.arrived(5)
	w.tidy()
}

func TestReadOnlySpoolIsAnError(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root writes where it likes")
	}
	w := newWorld(t, nil)
	must(t, os.Chmod(w.spool, 0o500))
	defer os.Chmod(w.spool, dirMode)
	if err := w.Put(newBundle(t), w.meta(0)); !errors.Is(err, os.ErrPermission) {
		t.Errorf("%v", err)
	}
	if _, err := w.Send(context.Background()); !errors.Is(err, os.ErrPermission) {
		t.Errorf("%v", err)
	}
}
