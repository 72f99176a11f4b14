package packet

import (
	"bytes"
	"math"
	"testing"
	"unsafe"

	"vitrine/core/flight"
)

func TestReaderReturnsWhatWasWritten(t *testing.T) {
	c := newTestPool(t, Config{}).NewCache()
	p := c.New().U8(1).U16(2).U32(3).U64(4).I8(-1).I16(-2).I32(-3).I64(-4).F32(1.5).F64(-2.5).
		Bytes([]byte("raw")).UTF8Fixed("utf8", 6).UTF16Fixed("한😀", 5).UTF8("rest")
	Put(p, level(9))
	r := NewReader(p.Payload())
	var l level
	for i, c := range []struct{ got, want any }{
		{r.U8(), uint8(1)}, {r.U16(), uint16(2)}, {r.U32(), uint32(3)}, {r.U64(), uint64(4)},
		{r.I8(), int8(-1)}, {r.I16(), int16(-2)}, {r.I32(), int32(-3)}, {r.I64(), int64(-4)},
		{r.F32(), float32(1.5)}, {r.F64(), -2.5}, {string(r.Bytes(3)), "raw"}, {r.UTF8(6), "utf8"},
		{r.UTF16(5), "한😀"}, {r.Skip(1).UTF8(3), "est"}, {Get(r, &l).Len(), 0}, {l, level(9)}, {r.Err(), nil},
	} {
		if c.got != c.want {
			t.Errorf("value %d = %v, want %v", i, c.got, c.want)
		}
	}
}

func TestReadPastTheEndSticksAndReturnsZero(t *testing.T) {
	b := []byte{1, 2, 3}
	for name, read := range map[string]func(*Reader) bool{
		"U8":             func(r *Reader) bool { return r.Skip(3).U8() == 0 },
		"U16":            func(r *Reader) bool { return r.Skip(2).U16() == 0 },
		"U32":            func(r *Reader) bool { return r.U32() == 0 },
		"U64":            func(r *Reader) bool { return r.U64() == 0 },
		"F64":            func(r *Reader) bool { return r.F64() == 0 },
		"Bytes":          func(r *Reader) bool { return r.Bytes(4) == nil },
		"Bytes negative": func(r *Reader) bool { return r.Bytes(-1) == nil },
		"Bytes absurd":   func(r *Reader) bool { return r.Bytes(math.MaxInt) == nil },
		"Bytes least":    func(r *Reader) bool { return r.Bytes(math.MinInt) == nil },
		"UTF8":           func(r *Reader) bool { return r.UTF8(4) == "" },
		"UTF16":          func(r *Reader) bool { return r.UTF16(2) == "" },
		"UTF16 negative": func(r *Reader) bool { return r.UTF16(-1) == "" },
		"UTF16 absurd":   func(r *Reader) bool { return r.UTF16(math.MaxInt/2+2) == "" },
		"Skip":           func(r *Reader) bool { return r.Skip(4) == r },
		"Get":            func(r *Reader) bool { l := level(7); Get(r.Skip(2), &l); return l == 0 },
	} {
		r := NewReader(b)
		if !read(r) || r.Err() != ErrShort {
			t.Errorf("%s: a value or %v, want zero with %v", name, r.Err(), ErrShort)
		}
		if r.U8() != 0 || r.Len() != 0 || r.Rest() != nil || r.Bytes(0) != nil || r.UTF8(0) != "" || r.Err() != ErrShort {
			t.Errorf("%s: reads after the error returned something", name)
		}
		if r.Reset(b); r.U8() != 1 || r.Err() != nil {
			t.Errorf("%s: Reset did not start anew", name)
		}
	}
}

func TestViewsCannotBeAppendedTo(t *testing.T) {
	b := []byte("abcdef")
	r := NewReader(b[:5])
	view, rest := r.Bytes(2), r.Rest()
	if unsafe.SliceData(view) != &b[0] || cap(view) != 2 || string(rest) != "cde" || cap(rest) != 3 {
		t.Errorf("views %q with capacity %d and %q with %d, want ab, 2, cde, 3", view, cap(view), rest, cap(rest))
	}
	if r.Len() != 0 || r.Err() != nil || len(r.Rest()) != 0 {
		t.Errorf("after Rest: Len %d, %v, want 0, none", r.Len(), r.Err())
	}
}

func TestReaderStopsTextAtNUL(t *testing.T) {
	for _, c := range []struct {
		units int
		in    string // bytes of UTF-16LE
		want  string
	}{
		{3, "a\x00\x00\x00b\x00", "a"},
		{2, "\x00\x00b\x00", ""},
		{2, "a\x00b\x00", "ab"},
		{2, "\x3D\xD8\x00\xDE", "😀"},
		{2, "\x3D\xD8a\x00", "\uFFFDa"},
		{2, "\x00\xDEa\x00", "\uFFFDa"},
		{1, "\x3D\xD8", "\uFFFD"},
		{3, "\x3D\xD8\x3D\xD8\x00\xDE", "\uFFFD😀"},
		{2, "\x3D\xD8\x00\x00", "\uFFFD"},
		{0, "", ""},
	} {
		r := NewReader([]byte(c.in))
		if got := r.UTF16(c.units); got != c.want || r.Err() != nil || r.Len() != 0 {
			t.Errorf("UTF16(%q) = %q, %v, want %q", c.in, got, r.Err(), c.want)
		}
	}
	r := NewReader([]byte("ab\x00cd"))
	if got := r.UTF8(4); got != "ab" || r.Len() != 1 {
		t.Errorf("UTF8 = %q with %d unread, want ab with 1", got, r.Len())
	}
}

func TestCloneCopiesWhatIsUnread(t *testing.T) {
	pool := newTestPool(t, Config{MaxSize: 4000})
	c := pool.NewCache()
	ext := Ext{Kinds: ExtCall, CallID: 3}
	for _, size := range []int{3, 200, 256, 300, 2048, 3000} {
		b := bytes.Repeat([]byte{7}, size)
		for _, cache := range []*Cache{nil, c} {
			r := NewReader(b)
			r.Bind(pool, flight.Ref(99), &ext)
			r.UseCache(cache)
			r.U16()
			p := r.Clone()
			b[2] = 8
			if p.Len() != size-2 || p.Payload()[0] != 7 || p.Err() != nil || r.Len() != size-2 {
				t.Errorf("%d bytes: clone of %d, %v, with %d unread, want %d", size, p.Len(), p.Err(), r.Len(), size-2)
			}
			if p.Trace() != 99 || p.Ext() != ext || r.Trace() != 99 || r.Ext() != ext {
				t.Errorf("%d bytes: trace %v and ext %+v, want those of the reader", size, p.Trace(), p.Ext())
			}
			b[2] = 7
			c.Release(p)
		}
	}
}

func TestCloneAtTheLimitsCarriesTheError(t *testing.T) {
	pool := newTestPool(t, Config{MaxSize: 100, Capacity: 64})
	c := pool.NewCache()
	r := NewReader(make([]byte, 101))
	r.UseCache(c)
	p := r.Clone()
	if p.Err() != ErrTooLong {
		t.Errorf("clone of 101 bytes where 100 are allowed: %v, want %v", p.Err(), ErrTooLong)
	}
	for range 63 {
		c.New()
	}
	if p := r.Clone(); p.Err() != ErrExhausted {
		t.Errorf("clone without a free packet: %v, want %v", p.Err(), ErrExhausted)
	}
	if panics(func() { NewReader(nil).Clone() }) == "" {
		t.Error("clone of a reader without a pool did not panic")
	}
}

func TestZeroReaderIsEmpty(t *testing.T) {
	var r Reader
	if r.Len() != 0 || r.Err() != nil || r.Trace() != 0 || r.Ext() != (Ext{}) || r.U8() != 0 || r.Err() != ErrShort {
		t.Error("the zero Reader is not an empty one")
	}
}
