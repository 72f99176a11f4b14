//go:build linux

package logs

import (
	"bytes"
	"io"
	"strconv"
)

// tally is which calls were found again, one bit each.
//
// Invariant: found[c] has bit n exactly when record n of caller c was noted.
type tally struct {
	found      [][]uint64
	duplicates uint64
	strange    uint64 // records that no caller can have logged
	disordered uint64 // records of a caller after one of its later ones
	last       []int64
}

func newTally(callers int) *tally {
	t := &tally{found: make([][]uint64, callers), last: make([]int64, callers)}
	for i := range t.last {
		t.last[i] = -1
	}
	return t
}

// maxCalls bounds the calls of one caller, and so the memory of a tally.
const maxCalls = 1 << 30

// note marks a record: its session is the caller from 1, n the call from 0.
func (t *tally) note(session uint64, n int64) {
	if session < 1 || session > uint64(len(t.found)) || n < 0 || n >= maxCalls {
		t.strange++
		return
	}
	c := session - 1
	for int64(len(t.found[c])) <= n/64 {
		t.found[c] = append(t.found[c], 0)
	}
	bit := uint64(1) << (n % 64)
	if t.found[c][n/64]&bit != 0 {
		t.duplicates++
	}
	t.found[c][n/64] |= bit
	if n < t.last[c] {
		t.disordered++
	}
	t.last[c] = max(t.last[c], n)
}

// has tells whether a call was found.
func (t *tally) has(c int, n uint64) bool {
	return n/64 < uint64(len(t.found[c])) && t.found[c][n/64]>>(n%64)&1 == 1
}

// lost counts the calls that had returned and were not found.
func (t *tally) lost(returned []uint64) (missing uint64) {
	for c, calls := range returned {
		for n := range calls {
			if !t.has(c, n) {
				missing++
			}
		}
	}
	return missing
}

// unborn counts the records of calls that cannot have begun: each caller has at
// most one call under way.
func (t *tally) unborn(returned []uint64) (count uint64) {
	for c, calls := range returned {
		if t.last[c] > int64(calls) {
			count++
		}
	}
	return count
}

// noteLines marks the complete lines of a peer's file.
func (t *tally) noteLines(r io.Reader) error {
	text, err := io.ReadAll(r)
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("}\n")) {
			continue // The last one, torn.
		}
		session, ok := member(line, `"session":`)
		n, also := member(line, `"x":`)
		if !ok || !also {
			t.strange++
			continue
		}
		t.note(uint64(session), n)
	}
	return err
}

// member returns a whole number of a JSON line.
func member(line []byte, key string) (int64, bool) {
	at := bytes.Index(line, []byte(key))
	if at < 0 {
		return 0, false
	}
	digits := line[at+len(key):]
	end := bytes.IndexAny(digits, ",}")
	if end < 0 {
		return 0, false
	}
	value, err := strconv.ParseInt(string(digits[:end]), 10, 64)
	return value, err == nil
}
