package snapshot

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFrameBytes is the largest stack frame that is searched; a larger one is not believed.
const maxFrameBytes = 64 << 10

// frameSlack is how far the search goes beyond the frame on either side.
const frameSlack = 256

// minThrowBytes is the shortest length that is believed: shorter ones are more likely counters than strings.
const minThrowBytes = 2

// ThrowText finds what a fatal error of the runtime said. The runtime prints that text to stderr alone, but the string
// header still stands on the stack of runtime.throw. How tells where the length came from: "stackscan" the header found
// on the stack, "argument" the printed one. The text has no "fatal error: " before it and at most MaxThrowBytes.
func (s *Snapshot) ThrowText(t Throw) (text, how string, err error) {
	for _, n := range s.throwLengths(t) {
		if text, err := s.throwString(t.Pointer, n); err == nil {
			return text, "stackscan", nil
		}
	}
	if t.Length < minThrowBytes || t.Length > MaxThrowBytes {
		return "", "", fmt.Errorf("find text of throw at %#x: no length", t.Pointer)
	}
	text, err = s.throwString(t.Pointer, t.Length)
	return text, "argument", err
}

// throwLengths gives the lengths that stand behind the pointer on the stack, in the order in which they are found.
func (s *Snapshot) throwLengths(t Throw) []uint64 {
	if t.FP <= t.SP || t.FP-t.SP > maxFrameBytes || t.SP < frameSlack {
		return nil
	}
	frame := make([]byte, t.FP-t.SP+2*frameSlack)
	n, err := s.Read((t.SP-frameSlack)&^7, frame)
	if err != nil && n == 0 {
		return nil
	}
	var lengths []uint64
	for b := frame[:n&^7]; len(b) >= 16; b = b[8:] {
		length := binary.LittleEndian.Uint64(b[8:])
		if binary.LittleEndian.Uint64(b) == t.Pointer && length >= minThrowBytes && length <= MaxThrowBytes {
			lengths = append(lengths, length)
		}
	}
	return lengths
}

// throwString reads a string and believes it when it is printable text.
func (s *Snapshot) throwString(addr, length uint64) (string, error) {
	b := make([]byte, length)
	if n, err := s.Read(addr, b); n < len(b) {
		return "", fmt.Errorf("read text of throw at %#x: %w", addr, err)
	}
	text := string(b)
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }) {
		return "", fmt.Errorf("read text of throw at %#x: not text", addr)
	}
	return text, nil
}
