package packet

import (
	"encoding/binary"
	"unicode/utf16"
)

// UTF8 appends the bytes of s as they are: no length, no NUL.
func (p *Packet) UTF8(s string) *Packet {
	copy(p.take(uintptr(len(s))), s)
	return p
}

// UTF8Fixed appends s as an array of size bytes, padded with zeros; ErrTooLong
// when it does not fit.
func (p *Packet) UTF8Fixed(s string, size int) *Packet {
	if len(s) > size {
		return p.refuse()
	}
	b := p.take(uintptr(size))
	clear(b[copy(b, s):])
	return p
}

// UTF16 appends s in UTF-16: no length, no NUL. What is not valid UTF-8 becomes
// U+FFFD.
func (p *Packet) UTF16(s string) *Packet {
	putUTF16(p.take(2*uintptr(unitsUTF16(s))), s)
	return p
}

// UTF16Fixed appends s as wchar[units], padded with zeros; ErrTooLong when it
// does not fit. A text of exactly that many units has no NUL.
func (p *Packet) UTF16Fixed(s string, units int) *Packet {
	if unitsUTF16(s) > units {
		return p.refuse()
	}
	b := p.take(2 * uintptr(units))
	clear(b[putUTF16(b, s):])
	return p
}

// refuse fails the packet, as a write past the limit would.
func (p *Packet) refuse() *Packet {
	if p.writable("write") && p.failure == none {
		p.fail(tooLong)
	}
	return p
}

// unitsUTF16 counts the 16-bit units of s.
func unitsUTF16(s string) int {
	units := 0
	for _, r := range s {
		units += utf16.RuneLen(r)
	}
	return units
}

// putUTF16 writes s to b, which is empty or has room for all of it, and returns
// the number of bytes.
func putUTF16(b []byte, s string) int {
	if len(b) == 0 {
		return 0
	}
	n := 0
	for _, r := range s {
		if utf16.RuneLen(r) == 2 {
			high, low := utf16.EncodeRune(r)
			binary.LittleEndian.PutUint16(b[n:], uint16(high))
			n += 2
			r = low
		}
		binary.LittleEndian.PutUint16(b[n:], uint16(r))
		n += 2
	}
	return n
}
