package flight

import "testing"

func BenchmarkClock(b *testing.B) {
	for b.Loop() {
		Clock()
	}
}

// BenchmarkPacket is what one packet costs: Begin, End and its share of the
// group's stamp. The sub-benchmarks take the stamp, then the ring's size, away.
func BenchmarkPacket(b *testing.B) {
	still := func() int64 { return 1 }
	for _, c := range []struct {
		name string
		cfg  Config
	}{
		{"group=1", Config{Group: 1}},
		{"group=4", Config{Group: 4}},
		{"group=8", Config{Group: 8}},
		{"group=4/clock=still", Config{Clock: still}},
		{"group=4/clock=still/records=256", Config{Clock: still, Records: 256}},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := newTest(b, c.cfg)
			r.Turn(Clock())
			for b.Loop() {
				r.Begin(1, 2, 32)
				r.End(32, 0)
			}
		})
	}
}

// BenchmarkTurn is a turn of 32 packets with its two stamps and its Flush.
func BenchmarkTurn(b *testing.B) {
	r := newTest(b, Config{})
	for b.Loop() {
		r.Turn(Clock())
		for range 32 {
			r.Begin(1, 2, 32)
			r.End(32, 0)
		}
		r.Flush(Clock())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/32, "ns/packet")
}
