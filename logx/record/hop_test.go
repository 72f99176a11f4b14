package record

import (
	"encoding/binary"
	"testing"
)

func TestHopSeesWhatParseSees(t *testing.T) {
	b := Append(nil, &Head{Index: 7, Session: 9, Level: Info}, AppendPayload(nil, nil, nil, "m", nil))
	if size, index, session := Hop(append(b, 1, 2, 3)); size != len(b) || index != 7 || session != 9 {
		t.Errorf("size %d, index %d, session %d, want %d, 7 and 9", size, index, session, len(b))
	}
	for n := range len(b) {
		if size, _, _ := Hop(b[:n]); size != 0 {
			t.Errorf("%d of %d bytes: size %d", n, len(b), size)
		}
	}
	for _, length := range []uint32{0, HeadBytes - 1, MaxBytes + 1, 1<<32 - 1} {
		binary.LittleEndian.PutUint32(b, length)
		if size, _, _ := Hop(b); size != 0 {
			t.Errorf("length %d: size %d", length, size)
		}
	}
}
