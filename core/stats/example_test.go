package stats_test

import (
	"fmt"

	"vitrine/core/stats"
)

// A worker counts and publishes once per turn; anyone reads.
func Example() {
	type counters struct{ Packets, Bytes uint64 }
	shard, sizes := stats.NewShard[counters](), stats.NewHistogram()

	for _, n := range []uint64{32, 40, 900} {
		shard.Local.Packets++
		shard.Local.Bytes += n
		sizes.Add(n)
	}
	shard.Publish()
	sizes.Publish()

	s := sizes.Snapshot()
	fmt.Println(stats.Fields(shard.Snapshot()))
	fmt.Println("median", s.Quantile(0.5), "largest", s.Max)
	// Output:
	// [{Packets 3} {Bytes 972}]
	// median 41 largest 900
}
