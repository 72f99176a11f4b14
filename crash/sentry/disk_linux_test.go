package sentry

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
)

// mount puts a file system of 128 KiB under the spool, or skips.
func (w *world) mount(t *testing.T) {
	t.Helper()
	if err := syscall.Mount("tmpfs", w.spool, "tmpfs", 0, "size=128k,mode=700"); err != nil {
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(w.spool, syscall.MNT_DETACH)) })
}

func TestRealFullDisk(t *testing.T) {
	w := newWorld(t, nil)
	w.mount(t)
	dir := newBundle(t, "flight.json", noise(40<<10))
	n, failed := 0, error(nil)
	for ; n < 200 && failed == nil; n++ {
		failed = w.Put(dir, w.meta(n))
	}
	n-- // the last one failed
	if !errors.Is(failed, syscall.ENOSPC) || n < 3 {
		t.Fatalf("after %d events: %v", n, failed)
	}
	w.tidy()
	r, err := w.Send(context.Background())
	if err != nil && !errors.Is(err, errState) || r.Sent != n || r.Kept != 0 {
		t.Errorf("%+v, %v, want %d sent", r, err, n)
	}
	w.arrived(n)
	w.put(dir, n, 1)
	w.send()
	w.arrived(n + 1)
}

func TestReadOnlyDisk(t *testing.T) {
	w := newWorld(t, nil)
	w.mount(t)
	must(t, os.Mkdir(w.path(asideName), dirMode))
	w.put(newBundle(t), 0, 1)
	must(t, syscall.Mount("", w.spool, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	if err := w.Put(newBundle(t), w.meta(1)); !errors.Is(err, syscall.EROFS) {
		t.Errorf("put: %v", err)
	}
	if r, err := w.sender(nil).Send(context.Background()); !errors.Is(err, syscall.EROFS) || r.Kept != 1 {
		t.Errorf("send: %+v, %v", r, err)
	}
	must(t, syscall.Mount("", w.spool, "", syscall.MS_REMOUNT, ""))
	w.send()
	w.arrived(1)
}
