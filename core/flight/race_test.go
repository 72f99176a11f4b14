package flight

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The writer of these tests makes every word of a record a function of its
// number, and the readers recompute them: a record put together from two is
// found whatever word it was torn at.

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// writePacket records the packet whose words follow from its number.
func writePacket(r *Recorder) {
	seq := r.packets.head
	h := mix(seq)
	r.BeginFrom(Ref(h*3), int64(h*5), h, uint16(h), uint32(h>>16))
	r.End(uint32(h>>8), uint16(h>>48)|1)
}

// sound reports whether rec is what writePacket wrote under its number, or a
// stage of it.
func sound(rec Record) bool {
	h := mix(rec.Seq)
	if rec.Session != h || rec.Cause != Ref(h*3) || rec.Recv != int64(h*5) || rec.Type != uint16(h) ||
		rec.Size != uint32(h>>16) || rec.Kind != KindPacket || rec.Pos > 3 {
		return false
	}
	if rec.Flags&FlagOpen != 0 {
		return rec.Out == 0 && rec.Err == 0 && rec.Group == 0
	}
	return rec.Out == uint32(h>>8) && rec.Err == uint16(h>>48)|1 && rec.Flags&^FlagDropped == FlagError &&
		(rec.Group == 0) == (rec.Handle == 0)
}

// race runs a writer of a small ring and, once it has gone round, calls read
// on another goroutine until it answers false or most has passed. Both have
// ended when race returns.
func race(t *testing.T, most time.Duration, read func(*Recorder) bool) {
	t.Helper()
	tick := int64(0)
	r := newTest(t, Config{Records: 64, Clock: func() int64 { tick++; return tick }})
	var done atomic.Bool
	var wg sync.WaitGroup
	started := make(chan struct{})
	wg.Go(func() {
		for i := 1; !done.Load(); i++ {
			writePacket(r)
			if i%37 == 0 {
				r.Event(KindSession, 1, 2, 3, 4, 5)
				tick++
				r.Flush(tick)
				tick++
				r.Turn(tick)
			}
			if i == 100 {
				close(started)
			}
			if i%256 == 0 {
				runtime.Gosched()
			}
		}
	})
	<-started
	for end := time.Now().Add(most); read(r) && time.Now().Before(end); {
	}
	done.Store(true)
	wg.Wait()
}

func TestReadersNeverSeeATornRecord(t *testing.T) {
	tests := map[string]func(*Recorder, []Record) []Record{
		"snapshot": func(r *Recorder, dst []Record) []Record { return r.Snapshot(dst) },
		"since": func(r *Recorder, dst []Record) []Record {
			dst, _ = r.Since(dst, 0)
			for _, rec := range dst {
				if rec.Group == 0 || rec.Flags&FlagOpen != 0 {
					t.Errorf("not final: %+v", rec)
				}
			}
			return dst
		},
		"session": func(r *Recorder, dst []Record) []Record {
			dst = r.Snapshot(dst)
			if len(dst) == 0 {
				return dst
			}
			id := dst[len(dst)-1].Session
			dst = r.Session(dst[:0], id, 16)
			for _, rec := range dst {
				if rec.Session != id {
					t.Errorf("of another session: %+v", rec)
				}
			}
			return dst
		},
	}
	for name, read := range tests {
		t.Run(name, func(t *testing.T) {
			var buf []Record
			reads, records := 0, 0
			race(t, 600*time.Millisecond, func(r *Recorder) bool {
				buf = read(r, buf[:0])
				last := uint64(0)
				for _, rec := range buf {
					if !sound(rec) || rec.Seq <= last {
						t.Errorf("after %d: torn or out of order: %+v", last, rec)
						return false
					}
					last = rec.Seq
				}
				reads, records = reads+1, records+len(buf)
				return reads < 100_000 && !t.Failed()
			})
			if records == 0 {
				t.Error("no record was read")
			}
		})
	}
}

// The mutants are the readers of ring with one of its checks left out. The
// check of the test above finds each of them out; that is what makes it a test.
func TestMutantReadersAreCaught(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("needs a writer and a reader at the same time")
	}
	mutants := map[string]func(*ring, uint64) (Record, bool){
		"no look at reserved after the copy": func(g *ring, seq uint64) (Record, bool) {
			return g.at(seq).load(seq)
		},
		"no look at the mark before the copy": func(g *ring, seq uint64) (Record, bool) {
			s := g.at(seq)
			rec, _ := s.load(atomic.LoadUint64(&s[wSeq]))
			rec.Seq = seq
			return rec, !g.overwritten(seq)
		},
		"a look at reserved before the copy instead": func(g *ring, seq uint64) (Record, bool) {
			if g.overwritten(seq) {
				return Record{}, false
			}
			return g.at(seq).load(seq)
		},
	}
	for name, read := range mutants {
		t.Run(name, func(t *testing.T) {
			caught := false
			race(t, 10*time.Second, func(r *Recorder) bool {
				g := &r.packets
				hi := g.cursors.reserved.Load()
				for seq := g.oldest(hi); seq < hi && !caught; seq++ {
					rec, ok := read(g, seq)
					caught = ok && !sound(rec)
				}
				return !caught
			})
			if !caught {
				t.Error("the mutant went unnoticed")
			}
		})
	}
}

func TestASlotReusedDuringTheCopyIsReportedLost(t *testing.T) {
	r := newTest(t, Config{Records: 64})
	writePacket(r)
	g := &r.packets
	if _, ok, lost := g.read(1); !ok || lost {
		t.Fatalf("fresh: ok %v, lost %v", ok, lost)
	}
	for g.head < 65 {
		writePacket(r)
		if g.overwritten(1) {
			t.Fatalf("lost at head %d, its slot is needed at 65", g.head)
		}
	}
	writePacket(r)
	if _, ok, lost := g.read(1); ok || !lost {
		t.Errorf("overwritten: ok %v, lost %v", ok, lost)
	}
}

// The boundary exactly: a slot counts as reused from the moment its successor's
// number is reserved, and not a record earlier.
func TestOverwrittenIsWhatReservedAllows(t *testing.T) {
	r := newTest(t, Config{Records: 64})
	g := &r.packets
	for range 300 {
		writePacket(r)
		for seq := uint64(1); seq < g.head; seq++ {
			if got, want := g.overwritten(seq), seq+64 < g.limit; got != want {
				t.Fatalf("head %d, reserved %d: record %d overwritten %v", g.head, g.limit, seq, got)
			}
		}
		if g.head > g.limit || g.cursors.reserved.Load() != g.limit {
			t.Fatalf("head %d, limit %d, reserved %d", g.head, g.limit, g.cursors.reserved.Load())
		}
	}
}

func TestCloseMayRaceReaders(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		r := newTest(t, Config{Dir: onLinux(dir), Records: 64, Lifecycle: 64})
		for range 100 {
			writePacket(r)
		}
		r.Flush(Clock())
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for len(r.Snapshot(nil)) > 0 && len(r.Session(nil, 1, 2)) == 0 {
				}
			})
		}
		runtime.Gosched()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		writePacket(r) // a late write harms nobody
		if n := len(r.Snapshot(nil)); n != 0 {
			t.Errorf("%d records after Close", n)
		}
	}
}

// onLinux is dir where there are flight files, else "".
func onLinux(dir string) string {
	if runtime.GOOS == "linux" {
		return dir
	}
	return ""
}
