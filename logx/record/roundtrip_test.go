package record

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// everyField holds each kind with the values at its edges.
func everyField() []Field {
	long := strings.Repeat("ö", 200)
	fields := []Field{
		{}, String("s", ""), String("s", "text"), String(long, long), String("s", "\x00\xff\n\""),
		Float("f", 0), Float("f", math.Copysign(0, -1)), Float("f", math.NaN()), Float("f", math.Inf(-1)), Float("f", math.MaxFloat64),
		Bool("b", false), Bool("b", true), JSON("j", `{"a":[1]}`), JSON("j", "not json"), Err(nil), Err(errors.New("gone")),
		Time("t", time.Time{}), Time("t", time.Unix(0, 0)), Time("t", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)),
	}
	for shift := range 64 {
		for _, x := range []uint64{1 << shift, 1<<shift - 1, -(1 << shift)} {
			fields = append(fields, Uint("u", x), Int("i", int64(x)), Duration("d", time.Duration(x)))
		}
	}
	return fields
}

var (
	testTrace = [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	testSpan  = [8]byte{16, 17, 18, 19, 20, 21, 22, 23}
)

// payloadOf encodes a record's payload, with trace when its head says so.
func payloadOf(r *Record) []byte {
	if r.Flags&FlagTrace != 0 {
		return AppendPayload(nil, &r.Trace, &r.Span, r.Message, r.Fields)
	}
	return AppendPayload(nil, nil, nil, r.Message, r.Fields)
}

// back encodes r and decodes it.
func back(t *testing.T, r *Record) *Record {
	t.Helper()
	disk := Append([]byte("before"), &r.Head, payloadOf(r))[len("before"):]
	v, err := Parse(append(disk, "behind"...))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if v.Size() != len(disk) || v.Head != r.Head || cap(v.Payload) != len(v.Payload) {
		t.Fatalf("got %d bytes, %+v, payload with room for %d, want %d bytes and %+v", v.Size(), v.Head, cap(v.Payload), len(disk), r.Head)
	}
	got := &Record{Message: "old", Fields: []Field{String("old", "old"), Int("old", 1)}}
	if err := v.Decode(got); err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return got
}

func TestEveryFieldComesBack(t *testing.T) {
	for _, f := range everyField() {
		r := &Record{Head: Head{Index: 1, Level: Info}, Message: "m", Fields: []Field{f, String("last", "one")}}
		if got := back(t, r); !reflect.DeepEqual(got, r) {
			t.Errorf("%v: got %+v, want %+v", f.Kind(), got, r)
		}
	}
}

func TestEveryHeadComesBack(t *testing.T) {
	for _, h := range []Head{
		{Index: 1, Level: Debug},
		{Index: math.MaxUint64, Time: math.MinInt64, Session: math.MaxUint64, Level: System, Flags: allFlags, Type: MaxTypes - 1},
		{Index: 7, Time: -1, Level: Error, Flags: FlagTombstone, Type: TypeCrash},
		{Index: 7, Time: 1, Session: 1, Level: Warn, Flags: FlagTrace, Type: FirstCustom},
	} {
		r := &Record{Head: h, Message: strings.Repeat("m", 130), Fields: everyField()}
		if h.Flags&FlagTrace != 0 {
			r.Trace, r.Span = testTrace, testSpan
		}
		if got := back(t, r); !reflect.DeepEqual(got, r) {
			t.Errorf("got %+v, want %+v", got, r)
		}
	}
}

func TestValuesAreWhatWasPut(t *testing.T) {
	type level int8
	now := time.Unix(1795387450, 123456789)
	if f := Int("", level(-3)); f.Int() != -3 || f.Kind() != KindInt {
		t.Errorf("Int: %+v", f)
	}
	if f := Uint("", uint16(65535)); f.Uint() != 65535 || f.Kind() != KindUint {
		t.Errorf("Uint: %+v", f)
	}
	if f := Float("", -2.5); f.Float() != -2.5 || f.Kind() != KindFloat {
		t.Errorf("Float: %+v", f)
	}
	if f := Bool("", true); !f.Bool() || f.Kind() != KindBool {
		t.Errorf("Bool: %+v", f)
	}
	if f := Duration("", -time.Second); f.Duration() != -time.Second || f.Kind() != KindDuration {
		t.Errorf("Duration: %+v", f)
	}
	if f := Time("", now); !f.Time().Equal(now) || f.Time().Location() != time.UTC || f.Kind() != KindTime {
		t.Errorf("Time: %+v", f)
	}
	if f := Err(errors.New("gone")); f.Key != "error" || f.Text() != "gone" || f.Kind() != KindError {
		t.Errorf("Err: %+v", f)
	}
	if f := JSON("k", "[]"); f.Key != "k" || f.Text() != "[]" || f.Kind() != KindJSON {
		t.Errorf("JSON: %+v", f)
	}
}

func TestTimesOutOfRangeAreTheNearest(t *testing.T) {
	for _, c := range []struct {
		year int
		want int64
	}{{1, math.MinInt64}, {1600, math.MinInt64}, {2300, math.MaxInt64}, {-500000, math.MinInt64}, {1678, -9214560000000000000}} {
		f := Time("", time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC))
		if f.Int() != c.want {
			t.Errorf("year %d: %d, want %d", c.year, f.Int(), c.want)
		}
	}
}

func TestFieldIsSmall(t *testing.T) {
	if got, most := unsafe.Sizeof(Field{}), 2*unsafe.Sizeof("")+16; got > most {
		t.Errorf("a field has %d bytes, want at most %d", got, most)
	}
}

// The layout is that of the package comment, byte by byte.
func TestLayoutIsTheDocumentedOne(t *testing.T) {
	h := Head{Index: 0x0102, Time: 0x0304, Session: 0x0506, Level: Warn, Flags: FlagTrace, Type: FirstCustom}
	fields := []Field{
		String("a", "xy"), Int("b", -2), Uint("c", uint(300)), Float("d", 1), Bool("e", true),
		Duration("f", 64), Time("g", time.Unix(0, 1)), JSON("h", "{}"), Err(errors.New("!")),
	}
	disk := Append(nil, &h, AppendPayload(nil, &testTrace, &testSpan, "hi", fields))
	want := "7c000000" + "8eec5364" +
		"0201000000000000" + "0403000000000000" + "0605000000000000" + "03" + "01" + "1000" +
		"000102030405060708090a0b0c0d0e0f" + "1011121314151617" + "026869" +
		"0161" + "00" + "027879" +
		"0162" + "01" + "03" +
		"0163" + "02" + "ac02" +
		"0164" + "03" + "000000000000f03f" +
		"0165" + "04" + "01" +
		"0166" + "05" + "8001" +
		"0167" + "06" + "0100000000000000" +
		"0168" + "07" + "027b7d" +
		"056572726f72" + "08" + "0121"
	if got := hex.EncodeToString(disk); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestPayloadSizeIsExact(t *testing.T) {
	all := everyField()
	for n := range all {
		for _, trace := range []*[16]byte{nil, &testTrace} {
			fields := all[n:min(n+7, len(all))]
			message := strings.Repeat("m", n)
			size := PayloadSize(trace != nil, message, fields)
			room := bytes.Repeat([]byte{0xAA}, 5+size+40)
			got := AppendPayload(room[:5:5+size], trace, &testSpan, message, fields)
			if len(got) != 5+size || &got[0] != &room[0] {
				t.Fatalf("%d: %d bytes in the same array %v, want %d", n, len(got), &got[0] == &room[0], 5+size)
			}
			if bytes.Count(room[:5], []byte{0xAA}) != 5 || bytes.Count(room[5+size:], []byte{0xAA}) != 40 {
				t.Fatalf("%d: bytes around the payload were written", n)
			}
			clear(room[5+size:])
			if plenty := AppendPayload(room[:5], trace, &testSpan, message, fields); !bytes.Equal(plenty, got) {
				t.Fatalf("%d: with plenty of room %x, want %x", n, plenty, got)
			} else if bytes.Count(room[5+size:], []byte{0}) != 40 {
				t.Fatalf("%d: bytes behind the payload were written", n)
			}
			if bound := PayloadBound(trace != nil, message, fields); bound < size {
				t.Fatalf("%d: the bound is %d, the size %d", n, bound, size)
			}
		}
	}
}

func TestPayloadGrowsWhereItMust(t *testing.T) {
	fields := everyField()
	want := AppendPayload(make([]byte, 0, 1<<16), &testTrace, nil, "message", fields)
	for room := range len(want) {
		got := AppendPayload(append(make([]byte, 0, 3+room), "pre"...), &testTrace, nil, "message", fields)
		if string(got[:3]) != "pre" || !bytes.Equal(got[3:], want) {
			t.Fatalf("with room for %d bytes: %x, want %x", room, got[3:], want)
		}
	}
}

func TestFieldsBeyondTheLimitAreLeftOut(t *testing.T) {
	fields := repeat(Bool("b", true), MaxFields+1)
	r := &Record{Head: Head{Level: Info}, Fields: fields}
	if got := back(t, r); !slices.Equal(got.Fields, fields[:MaxFields]) {
		t.Errorf("%d fields came back, want %d", len(got.Fields), MaxFields)
	}
	if got, want := PayloadSize(false, "", fields), PayloadSize(false, "", fields[:MaxFields]); got != want {
		t.Errorf("PayloadSize = %d, want %d", got, want)
	}
}

func TestFitShortens(t *testing.T) {
	message := "größer" + strings.Repeat("é", 100) + "\x80\x80\x80\x80\x80"
	fields := []Field{String("a", strings.Repeat("x", 200)), Int("b", 1), JSON("c", "{}")}
	whole := PayloadSize(true, message, fields)
	for limit := whole + 3; limit >= traceBytes+1; limit-- {
		m, f, cut := Fit(limit, true, message, fields)
		size := PayloadSize(true, m, f)
		if size > limit || cut != (limit < whole) || !strings.HasPrefix(message, m) || !slices.Equal(f, fields[:len(f)]) {
			t.Fatalf("limit %d: %d bytes, cut %v, %q, %v", limit, size, cut, m, f)
		}
		if len(f) > 0 && m != message {
			t.Fatalf("limit %d: the message was cut before the fields", limit)
		}
		if next := len(m); m != message && message[next]&0xC0 == 0x80 && next < len(message)-5 {
			t.Fatalf("limit %d: %q ends within a rune", limit, m)
		}
		if lost := limit - size; len(f) == 0 && m != message && lost > 3 {
			t.Fatalf("limit %d: %d bytes are not used", limit, lost)
		}
	}
	for _, limit := range []int{traceBytes, 0, -5, math.MinInt} {
		if m, f, cut := Fit(limit, true, message, fields); m != "" || len(f) != 0 || !cut {
			t.Errorf("limit %d: %q, %v, %v", limit, m, f, cut)
		}
	}
	if _, f, cut := Fit(1<<20, false, "", repeat(Bool("b", true), MaxFields+1)); len(f) != MaxFields || !cut {
		t.Errorf("%d fields, cut %v", len(f), cut)
	}
}
