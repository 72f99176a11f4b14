package segment

import (
	"testing"

	"vitrine/logx/record"
)

// The postings of a segment that is not sealed end anywhere, as after a lost write: none of the records is missed.
func TestShortPostingsMissNothing(t *testing.T) {
	if poolsForget {
		t.Skip("one goroutine reads many files, which is slow under the race detector and finds nothing there")
	}
	from := newTraffic(40, 50, 200)
	from.errors, from.warns = 300, 200
	f := build(t, 3, 2*mib, from, false).write(t, t.TempDir())
	wants := []Want{{}, {Levels: 1 << record.Error}, {Types: 1 << record.TypeChat}, {From: f.base + 2000}, {To: f.base + 2000}}
	for end, step := warnHeaderBytes, 1; end <= len(f.warn); end += step {
		put(t, f.path(suffixWarn), f.warn[:end])
		for _, w := range wants {
			f.holdsPostings(t, f.open(t), w)
		}
		if step = postingSize(f.warn[end:]); step == 0 {
			break
		}
	}
	put(t, f.path(suffixWarn), f.warn[:len(f.warn)-5])
	f.holdsPostings(t, f.open(t), Want{})
}
