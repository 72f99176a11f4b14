package record

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func sample() []byte {
	r := benchRecord()
	return Append(nil, &r.Head, payloadOf(r))
}

func TestEveryPrefixIsShort(t *testing.T) {
	disk := sample()
	for n := range disk {
		if _, err := Parse(disk[:n]); err != ErrShort {
			t.Fatalf("%d of %d bytes: %v, want %v", n, len(disk), err, ErrShort)
		}
		if _, err := ParseUnchecked(disk[:n]); err != ErrShort {
			t.Fatalf("%d of %d bytes, unchecked: %v, want %v", n, len(disk), err, ErrShort)
		}
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	disk := append(sample(), make([]byte, 256)...)
	size := len(disk) - 256
	for bit := range 8 * size {
		disk[bit/8] ^= 1 << (bit % 8)
		if v, err := Parse(disk); err == nil || v.Payload != nil {
			t.Fatalf("bit %d of byte %d: %v", bit%8, bit/8, err)
		}
		disk[bit/8] ^= 1 << (bit % 8)
	}
}

func TestLengthsOutOfRangeAreCorrupt(t *testing.T) {
	for _, size := range []uint32{0, 1, HeadBytes - 1, MaxBytes + 1, 1 << 31, 1<<32 - 1} {
		for _, have := range []int{4, HeadBytes, 4096} {
			b := make([]byte, have)
			binary.LittleEndian.PutUint32(b, size)
			if _, err := ParseUnchecked(b); err != ErrCorrupt {
				t.Errorf("length %d in %d bytes: %v, want %v", size, have, err, ErrCorrupt)
			}
		}
	}
}

func TestHeadsOutOfRangeAreCorrupt(t *testing.T) {
	for name, spoil := range map[string]func([]byte){
		"level 0":      func(b []byte) { b[32] = 0 },
		"level 6":      func(b []byte) { b[32] = 6 },
		"unknown flag": func(b []byte) { b[33] = 0x10 },
		"type 64":      func(b []byte) { b[34] = 64 },
		"type 256":     func(b []byte) { b[35] = 1 },
	} {
		disk := sample()
		spoil(disk)
		if _, err := ParseUnchecked(disk); err != ErrCorrupt {
			t.Errorf("%s: %v, want %v", name, err, ErrCorrupt)
		}
	}
}

// What Append writes, Parse takes, whatever the caller put into the head.
func TestAppendCorrectsTheHead(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		h := Head{Level: Level(random.Uint32()), Flags: Flags(random.Uint32()), Type: Type(random.Uint32())}
		disk := Append(nil, &h, nil)
		if v, err := Parse(disk); err != nil || v.Head != h {
			t.Fatalf("%+v: %+v, %v", h, v, err)
		}
	}
	h := Head{Level: 0, Flags: 0xF1, Type: 64}
	Append(nil, &h, nil)
	if want := (Head{Level: Info, Flags: FlagTrace, Type: TypeSystem}); h != want {
		t.Errorf("got %+v, want %+v", h, want)
	}
	h.Level = 6
	Append(nil, &h, nil)
	if h.Level != System {
		t.Errorf("level 6 became %v, want %v", h.Level, System)
	}
}

func TestLargestRecord(t *testing.T) {
	h := Head{Index: 1, Level: Info}
	message, _, cut := Fit(MaxBytes-HeadBytes, false, strings.Repeat("x", MaxBytes), nil)
	disk := Append(nil, &h, AppendPayload(nil, nil, nil, message, nil))
	if _, err := Parse(disk); err != nil || !cut || len(disk) != MaxBytes {
		t.Errorf("%d bytes, cut %v: %v", len(disk), cut, err)
	}
	defer func() {
		if p := fmt.Sprint(recover()); !strings.HasPrefix(p, "record: ") {
			t.Errorf("a larger record: %s, want a panic", p)
		}
	}()
	Append(nil, &h, make([]byte, MaxBytes-HeadBytes+1))
}

func TestBadPayloadsAreCorrupt(t *testing.T) {
	const message = "0161" // "a"
	cases := []struct {
		name, payload string
		flags         Flags
	}{
		{"half a trace", strings.Repeat("00", 23), FlagTrace},
		{"message past the end", "0261", 0},
		{"endless length", "ffffffffffffffffffff01", 0},
		{"length of 2^64-1", "ffffffffffffffffff01", 0},
		{"half a length", "80", 0},
		{"key past the end", message + "0561", 0},
		{"no kind", message + "0161", 0},
		{"unknown kind", message + "0161" + "09" + "01", 0},
		{"no value", message + "0161" + "01", 0},
		{"half a varint", message + "0161" + "02" + "80", 0},
		{"overlong varint", message + "0161" + "01" + "80808080808080808002", 0},
		{"half a float", message + "0161" + "03" + "00000000000000", 0},
		{"half a time", message + "0161" + "06" + "00", 0},
		{"no bool", message + "0161" + "04", 0},
		{"bool of 2", message + "0161" + "04" + "02", 0},
		{"text past the end", message + "0161" + "00" + "027a", 0},
		{"huge text", message + "0161" + "07" + "ffffffff7f", 0},
		{"too many fields", message + strings.Repeat("000000", MaxFields+1), 0},
	}
	for _, c := range cases {
		payload, err := hex.DecodeString(c.payload)
		if err != nil {
			t.Fatal(err)
		}
		v := View{Head: Head{Flags: c.flags}, Payload: payload}
		var r Record
		if err := v.Decode(&r); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v with %+v, want %v", c.name, err, r, ErrCorrupt)
		}
	}
}

func TestEmptyPayloadIsAnEmptyMessage(t *testing.T) {
	r := Record{Message: "old", Fields: []Field{{Key: "old"}}}
	err := View{Head: Head{Index: 3, Flags: FlagTombstone}}.Decode(&r)
	if err != nil || r.Message != "" || len(r.Fields) != 0 || r.Index != 3 {
		t.Errorf("got %+v and %v", r, err)
	}
}
