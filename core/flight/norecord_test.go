//go:build norecord

package flight

import "testing"

func TestWithoutRecordingNothingIsKeptAndNoClockIsRead(t *testing.T) {
	reads := 0
	r, err := NewRecorder(Config{Clock: func() int64 { reads++; return 1 }, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	reads = 0
	r.Turn(1)
	for range 100 {
		r.Begin(1, 2, 3)
		r.Break()
		r.Panic()
		r.End(4, 5)
	}
	r.Event(KindSession, 1, 2, 3, 4, 5)
	r.Flush(1)
	n := len(r.Snapshot(nil)) + len(r.Lifecycle(nil)) + len(r.Session(nil, 1, 9))
	if n != 0 || reads != 0 || r.Ref() != 0 || Enabled {
		t.Errorf("%d records, %d clock reads, ref %x", n, reads, r.Ref())
	}
}
