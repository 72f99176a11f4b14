package segment

import "math/bits"

// appendFilter appends a filter of the rows that were solved: so many sums of solutions, those that fewest voters pass.
func (x *ribbon) appendFilter(dst []byte, voters []row, solutions int) []byte {
	x.count(voters)
	w := bitWriter{dst: dst}
	for range solutions {
		best := x.elect()
		x.take(best)
		x.write(&w, best)
	}
	return w.close()
}

// count notes for each voter its bits in the free solutions. A sum of solutions passes it when the bits of the sum among
// them are even in number. Of very many voters some are asked.
func (x *ribbon) count(voters []row) {
	size := 1 << x.free
	x.votes, x.balance = zeroed(x.votes, size), zeroed(x.balance, size)
	x.taken = zeroed(x.taken, size)
	x.taken[0] = true
	step := 1 + len(voters)/maxVoters
	for i := 0; i < len(voters); i += step {
		x.votes[x.bits(&voters[i])]++
	}
}

// zeroed gives n zeros, in s when it has room.
func zeroed[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// elect gives the sum of solutions that fewest of the voters pass who have passed those before. It counts for all sums at
// once: a Walsh-Hadamard transform. Of equal ones it is the first.
func (x *ribbon) elect() (best int) {
	b := x.balance
	copy(b, x.votes)
	for half := 1; half < len(b); half *= 2 {
		for i := 0; i < len(b); i += 2 * half {
			low, high := b[i:i+half], b[i+half:i+2*half]
			for j, v := range high {
				low[j], high[j] = low[j]+v, low[j]-v
			}
		}
	}
	for i := range b {
		if !x.taken[i] && (x.taken[best] || b[i] < b[best]) {
			best = i
		}
	}
	return best
}

// take forgets the voters who do not pass a sum of solutions, and the sums that it makes with those taken before.
func (x *ribbon) take(best int) {
	for i := range x.votes {
		if bits.OnesCount32(uint32(i&best))&1 != 0 {
			x.votes[i] = 0
		}
	}
	for i, taken := range x.taken {
		if taken {
			x.taken[i^best] = true
		}
	}
}

// write writes the values of all columns in a sum of solutions.
func (x *ribbon) write(w *bitWriter, sum int) {
	width := len(x.pivots)
	for at := 0; at < width; at += 64 {
		w.put(x.bands[at].add(sum), min(64, width-at))
	}
	w.put(x.tails.add(sum), min(ribbonTail, x.columns))
}

// add gives the values of a sum of solutions.
func (w *windows) add(sum int) (v uint64) {
	for i, one := range w {
		if sum>>i&1 != 0 {
			v ^= one
		}
	}
	return v
}

// bitWriter appends bits, the lowest first.
type bitWriter struct {
	dst  []byte
	held uint64
	n    int // bits held, below 8
}

// put appends the low n bits of v, at most 64; those above are 0.
func (w *bitWriter) put(v uint64, n int) {
	for n > 0 {
		take := min(n, 32)
		w.held |= v & (1<<take - 1) << w.n
		w.n += take
		v, n = v>>take, n-take
		for ; w.n >= 8; w.n -= 8 {
			w.dst = append(w.dst, byte(w.held))
			w.held >>= 8
		}
	}
}

// close fills the last byte with zeros.
func (w *bitWriter) close() []byte {
	if w.n > 0 {
		w.dst = append(w.dst, byte(w.held))
	}
	return w.dst
}
