package packet

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// UTF8 reads n bytes of text and returns those before the first NUL as they
// are, "" after an error. It allocates the string.
func (r *Reader) UTF8(n int) string {
	b := r.Bytes(n)
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return string(b)
}

// UTF16 reads wchar[units] and returns the text before the first NUL, "" after
// an error. Surrogates without a partner become U+FFFD. It allocates the
// string, and nothing else for texts of up to 128 bytes.
func (r *Reader) UTF16(units int) string {
	if uint(units) > uint(r.Len())/2 {
		r.fail()
		return ""
	}
	var small [128]byte
	return string(appendUTF16(small[:0], r.Bytes(2*units)))
}

// appendUTF16 appends the text of b up to its first NUL to dst in UTF-8.
func appendUTF16(dst, b []byte) []byte {
	for len(b) >= 2 {
		r := rune(binary.LittleEndian.Uint16(b))
		if r == 0 {
			break
		}
		b = b[2:]
		if utf16.IsSurrogate(r) {
			r, b = joinSurrogates(r, b)
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// joinSurrogates returns the rune that high and the front of b make, and what
// follows it; U+FFFD for high alone when they make none.
func joinSurrogates(high rune, b []byte) (rune, []byte) {
	if len(b) < 2 {
		return utf8.RuneError, b
	}
	r := utf16.DecodeRune(high, rune(binary.LittleEndian.Uint16(b)))
	if r == utf8.RuneError {
		return r, b
	}
	return r, b[2:]
}
