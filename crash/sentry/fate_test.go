package sentry

import (
	"path/filepath"
	"testing"

	"vitrine/crash/bundle"
)

func TestFateFollowsAnEvent(t *testing.T) {
	w := newWorld(t, nil)
	m := w.meta(1)
	look := func(want Fate) {
		t.Helper()
		got, err := FateOf(w.spool, m)
		must(t, err)
		if got.Waits != want.Waits || got.Done != want.Done || got.Failures != want.Failures || (got.Last != "") != (want.Failures > 0) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	look(Fate{})
	w.put(newBundle(t), 1, 1)
	look(Fate{Waits: true})
	w.sink.Down(true)
	if _, err := w.Send(t.Context()); err == nil {
		t.Error("sent to a sink that is down")
	}
	look(Fate{Waits: true, Failures: 1})
	w.sink.Down(false)
	must(t, w.Resume())
	w.send()
	look(Fate{Done: true})
	if f, err := FateOf(filepath.Join(t.TempDir(), "none"), &bundle.Meta{ID: "x"}); err != nil || f != (Fate{}) {
		t.Errorf("of a spool that is not there: %+v, %v", f, err)
	}
}
