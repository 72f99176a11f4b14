package segment

import "math/bits"

// Sizes of a ribbon filter.
const (
	ribbonTail       = 64 // columns of the system that every row may use
	ribbonSpare      = 11 // columns beyond the number of rows
	ribbonCrowd      = 16 // places before column 0 that begin there, so that few of the first columns stay without a row
	ribbonMore       = 8  // and so many more for each further try
	ribbonTries      = 16 // then there is no filter
	ribbonSlack      = 16 // bytes that asking may read behind a filter
	ribbonFree       = 10 // solutions of the system among which the best are searched for
	maxVoters        = 8192
	maxRibbonKeys    = 2048 // of one system; a block has no more records
	maxRibbonColumns = maxRibbonKeys + ribbonSpare + ribbonTries*ribbonMore
	maxSolutions     = 8 // solutions kept: a stranger passes with 2^-8
)

// row is the equation a session stands for: where its band begins follows from hash and the number of columns.
//
//	column   0            start        start+63                columns-64         columns
//	         | 0 .. 0     | band, 64 bits       | 0 .. 0       | tail, 64 bits    |
//
// With fewer than 128 columns the band is what there is before the tail, with fewer than 64 the tail is all of them.
type row struct{ hash, band, tail uint64 }

// newRow gives the row of a session by its mix.
func newRow(hash uint64) row {
	return row{hash: hash, band: mix(hash+0x9e3779b97f4a7c15) | 1, tail: mix(hash + 0x3c6ef372fe94f82a)}
}

// fit gives the row as it is in a system of so many columns.
func (r *row) fit(columns int) (start int, band, tail uint64) {
	width := columns - ribbonTail
	switch {
	case width <= 0:
		return 0, 0, r.tail & (1<<columns - 1)
	case width < 64:
		return 0, r.band & (1<<width - 1), r.tail
	}
	at, _ := bits.Mul64(r.hash, uint64(width-63+2*ribbonCrowd))
	return min(max(int(at)-ribbonCrowd, 0), width-64), r.band, r.tail
}

// passes tells whether the session may be among those of a filter at the front of b: the bits of all columns, for each of
// the solutions that it keeps. It reads up to ribbonSlack bytes behind them, which mean nothing.
func (r *row) passes(b []byte, columns, solutions int) bool {
	start, band, tail := r.fit(columns)
	end := max(columns-ribbonTail, 0)
	for i := range solutions {
		at := i * columns
		v := bitsAt(b, at+end) & tail
		if band != 0 {
			v ^= bitsAt(b, at+start) & band
		}
		if bits.OnesCount64(v)&1 != 0 {
			return false
		}
	}
	return true
}

// bitsAt gives the 64 bits from bit n on.
func bitsAt(b []byte, n int) uint64 {
	p := b[n>>3:][:9]
	return order.Uint64(p)>>(n&7) | uint64(p[8])<<(64-n&7)
}

// ribbon makes filters. It solves a homogeneous system over bits, one equation for each session: every solution gives
// 0 for all of them, and for a stranger a bit like one that was tossed. The more solutions a filter keeps, the fewer
// strangers pass.
//
// Equations ascend by where they begin, so each finds its pivot near its band; what is left of those that find none goes
// into the tail, which is solved by itself. Some columns stay free: each choice of them is another solution. Strangers
// that will be asked for, as sessions of neighbouring blocks are, vote: the solutions are kept that fewest of them pass.
// It belongs to one goroutine and is reused.
type ribbon struct {
	columns int
	pivots  []pivot    // of the band
	tail    [64]uint64 // reduced rows, by their lowest bit
	free    int        // solutions found
	bands   []windows  // of the solutions: the 64 values from each column of the band on
	tails   windows    // of the solutions: the values of the tail
	votes   []int32    // how many voters have which bits in the solutions, of those who pass so far
	balance []int32    // for each sum of solutions: how many voters pass it, less those who do not
	taken   []bool     // sums of solutions that tell nothing new
}

// pivot is a reduced row whose lowest bit is that of its column.
type pivot struct{ band, tail uint64 }

// windows is 64 values of each free solution. Those that were not found are 0.
type windows [ribbonFree]uint64

// solve finds the free solutions of the rows, which ascend by hash, at least so many. It is false when there is no filter for them.
func (x *ribbon) solve(rows []row, least int) bool {
	if len(rows) > maxRibbonKeys {
		return false
	}
	for try := range ribbonTries {
		x.columns = len(rows) + ribbonSpare + try*ribbonMore
		x.eliminate(rows)
		x.complete()
		if x.free >= least {
			return true
		}
	}
	return false
}

// eliminate brings the rows to their pivots.
func (x *ribbon) eliminate(rows []row) {
	width := max(x.columns-ribbonTail, 0)
	if x.pivots == nil {
		x.pivots, x.bands = make([]pivot, maxRibbonColumns), make([]windows, maxRibbonColumns)
	}
	x.pivots = x.pivots[:width]
	clear(x.pivots)
	x.tail = [64]uint64{}
	for i := range rows {
		at, band, tail := rows[i].fit(x.columns)
		for band != 0 {
			skip := bits.TrailingZeros64(band)
			at, band = at+skip, band>>skip
			p := &x.pivots[at]
			if p.band == 0 {
				*p = pivot{band, tail}
				tail = 0
				break
			}
			band, tail = band^p.band, tail^p.tail
		}
		x.reduceTail(tail)
	}
}

func (x *ribbon) reduceTail(tail uint64) {
	for tail != 0 {
		p := &x.tail[bits.TrailingZeros64(tail)]
		if *p == 0 {
			*p = tail
			return
		}
		tail ^= *p
	}
}

// complete makes a solution of each free column of the tail, up to ribbonFree: that one is 1 and the other free ones are 0.
func (x *ribbon) complete() {
	x.free, x.tails = 0, windows{}
	for column := range min(ribbonTail, x.columns) {
		if x.tail[column] == 0 && x.free < ribbonFree {
			x.tails[x.free] = x.completeTail(1 << column)
			x.free++
		}
	}
	var window windows
	for at := len(x.pivots) - 1; at >= 0; at-- {
		p := &x.pivots[at]
		for i, w := range window {
			w <<= 1
			window[i] = w | uint64(bits.OnesCount64(p.band&w^p.tail&x.tails[i])&1)
		}
		x.bands[at] = window
	}
}

// completeTail gives the values of a tail of which the free columns are given.
func (x *ribbon) completeTail(tail uint64) uint64 {
	for i := ribbonTail - 1; i >= 0; i-- {
		if p := x.tail[i]; p != 0 {
			tail |= uint64(bits.OnesCount64(p&tail)&1) << i
		}
	}
	return tail
}

// bits gives the values of all solutions for a row, one bit each. Sessions of the filter have 0.
func (x *ribbon) bits(r *row) (v uint32) {
	start, band, tail := r.fit(x.columns)
	if band == 0 {
		for i, t := range &x.tails {
			v |= uint32(bits.OnesCount64(tail&t)&1) << i
		}
		return v
	}
	for i, w := range &x.bands[start] {
		v |= uint32(bits.OnesCount64(band&w^tail&x.tails[i])&1) << i
	}
	return v
}
