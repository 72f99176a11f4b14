package packet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"unicode/utf16"
)

// script reads a payload by a list of operations, two bytes each, with a Reader
// and by hand, and compares.
type script struct {
	r    Reader
	want []byte // what the model has not read
	dead bool   // the model has read past the end
	used int    // bytes read in full, Rest excepted
	rest bool   // Rest was called
}

// reads are the operations whose size is known beforehand.
var reads = []struct {
	size int
	read func(*Reader) uint64
	want func([]byte) uint64
}{
	{1, func(r *Reader) uint64 { return uint64(r.U8()) }, func(b []byte) uint64 { return uint64(b[0]) }},
	{2, func(r *Reader) uint64 { return uint64(r.U16()) }, func(b []byte) uint64 { return uint64(binary.LittleEndian.Uint16(b)) }},
	{4, func(r *Reader) uint64 { return uint64(r.U32()) }, func(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }},
	{8, func(r *Reader) uint64 { return r.U64() }, binary.LittleEndian.Uint64},
	{8, func(r *Reader) uint64 { return uint64(r.I64()) }, binary.LittleEndian.Uint64},
	{2, func(r *Reader) uint64 { var l level; Get(r, &l); return uint64(l) }, func(b []byte) uint64 { return uint64(binary.LittleEndian.Uint16(b)) }},
}

func (s *script) step(op, arg byte) error {
	if k := int(op) % (len(reads) + 5); k < len(reads) {
		return s.fixed(k)
	} else if n := int(int8(arg)); k == len(reads) {
		return s.text16(n)
	} else if k == len(reads)+1 {
		return s.view(s.r.Rest(), len(s.want), false)
	} else if k == len(reads)+2 {
		want, ok := s.take(n)
		if got := s.r.UTF8(n); ok && got != string(untilNUL(want)) {
			return fmt.Errorf("UTF8(%d) = %q", n, got)
		}
		return nil
	} else if k == len(reads)+3 {
		s.take(n)
		s.r.Skip(n)
		return nil
	} else {
		return s.view(s.r.Bytes(n), n, true)
	}
}

// take is the model of every read.
func (s *script) take(n int) ([]byte, bool) {
	if s.dead || n < 0 || n > len(s.want) {
		s.dead, s.want = true, nil
		return nil, false
	}
	b := s.want[:n]
	s.want = s.want[n:]
	s.used += n
	return b, true
}

func (s *script) fixed(k int) error {
	op := reads[k]
	var want uint64
	if b, ok := s.take(op.size); ok {
		want = op.want(b)
	}
	if got := op.read(&s.r); got != want {
		return fmt.Errorf("operation %d = %#x, want %#x", k, got, want)
	}
	return nil
}

func (s *script) view(got []byte, n int, counts bool) error {
	want, _ := s.take(n)
	if !counts {
		s.rest = true
	}
	if !bytes.Equal(got, want) || cap(got) != len(got) {
		return fmt.Errorf("view of %d bytes = %x with capacity %d, want %x", n, got, cap(got), want)
	}
	return nil
}

func (s *script) text16(units int) error {
	want, ok := s.take(2 * units)
	got := s.r.UTF16(units)
	var u []uint16
	for ; len(want) > 0; want = want[2:] {
		u = append(u, binary.LittleEndian.Uint16(want))
		if u[len(u)-1] == 0 {
			u = u[:len(u)-1]
			break
		}
	}
	if text := string(utf16.Decode(u)); ok && got != text {
		return fmt.Errorf("UTF16(%d) = %q, want %q", units, got, text)
	}
	return nil
}

func untilNUL(b []byte) []byte {
	before, _, _ := bytes.Cut(b, []byte{0})
	return before
}

// run reads payload, which lies between bytes that must not be seen.
func (s *script) run(payload, ops []byte) error {
	room := append(append([]byte("######"), payload...), "######"...)
	s.want = payload
	s.r.Reset(room[6 : 6+len(payload)])
	for i := 0; i+1 < len(ops); i += 2 {
		if err := s.step(ops[i], ops[i+1]); err != nil {
			return fmt.Errorf("step %d: %w", i/2, err)
		}
		if (s.r.Err() != nil) != s.dead || s.r.Len() != len(s.want) {
			return fmt.Errorf("step %d: %v with %d unread, want failed %v with %d", i/2, s.r.Err(), s.r.Len(), s.dead, len(s.want))
		}
	}
	return nil
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, []byte{0, 0, 3, 0, 0, 0})
	f.Add([]byte("a\x00b\x00\x00\x00c\x00"), []byte{6, 4, 7, 0})
	f.Add([]byte{0x3D, 0xD8, 0, 0xDE}, []byte{6, 2, 1, 0, 10, 255, 7, 0})
	pool := newTestPool(f, Config{})
	c := pool.NewCache()
	f.Fuzz(func(t *testing.T, payload, ops []byte) {
		var s script
		if err := s.run(payload, ops); err != nil {
			t.Fatal(err)
		}
		s.r.UseCache(c)
		if p := s.r.Clone(); p.Err() == nil && !bytes.Equal(p.Payload(), s.want) {
			t.Fatalf("Clone = %x, want %x", p.Payload(), s.want)
		} else {
			c.Release(p)
		}
		if s.dead || s.rest {
			return
		}
		for n := max(0, s.used-64); n < s.used; n++ {
			var cut script
			if err := cut.run(payload[:n], ops); err != nil {
				t.Fatalf("the first %d bytes: %v", n, err)
			}
			if cut.r.Err() != ErrShort {
				t.Fatalf("the first %d of %d bytes: %v, want %v", n, s.used, cut.r.Err(), ErrShort)
			}
		}
	})
}
