// Package stats holds the figures one worker updates with plain stores and any goroutine reads.
//
// A worker never shares the words it counts in. It counts in its own copy and
// publishes once per turn; readers see only what was published:
//
//	owner's goroutine                        any goroutine
//	s.Local.Packets++   (plain, ~1 ns)
//	h.Add(ns)           (plain, ~2 ns)
//	...
//	Publish()  --changed words, atomic-->  s.Snapshot()  h.Snapshot()
//
// A [Shard] is a struct of uint64 counters. A [Histogram] is log-linear: below
// 16 each value has its own bucket, above that every octave [2^e, 2^(e+1)) is
// cut into 16 equal buckets, 976 in all, which cover the whole of uint64:
//
//	value   0 .. 15 | 16 .. 31 | 32 33 | 34 35 | ... | 62 63 | 64..67 | ...
//	bucket  0 .. 15 | 16 .. 31 |   32  |   33  |     |   47  |   48   |
//	width      1    |    1     |         2                   |   4    | ...
//
// Units are the caller's; the project records nanoseconds. A bucket is at most
// 1/16 of its lowest value wide, so a quantile is never below the exact one and
// at most 1/16 above it. A histogram takes 16 KiB with its published copy.
// Counters wrap at 2^64. Snapshots are taken word by word: each figure is one
// that was published, two figures may be one turn apart.
//
// Source: HdrHistogram's bucket layout, and the linear sub-buckets of
// Prometheus and OpenTelemetry exponential histograms.
package stats
