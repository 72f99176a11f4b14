package logx

import (
	"bytes"
	"strings"
)

// maskText stands for a value that must not be logged.
const maskText = "***"

// DefaultMask returns the patterns of HandlerConfig.Mask where that is nil, for a list that adds to them. The slice is
// the caller's.
func DefaultMask() []string {
	return []string{
		"*password", "*passwd", "*passphrase", "*passcode", "*pwd",
		"*secret", "*credential", "*credentials",
		"*token", "*jwt", "*bearer",
		"*authorization", "*cookie", "*cookies",
		"*api_key", "*access_key", "*secret_key", "*session_key", "*private_key", "*signing_key", "*encryption_key",
		"*dsn", "*connection_string",
	}
}

// mask decides by its key whether a value is a secret.
//
//	pattern    matches the last part of a key when that, without - and _, in any case
//	x          is x
//	*x         ends with x
//	x*         begins with x
//	*x*        holds x
type mask struct {
	pairs [32]uint32    // fixed; by the low five bits of x's last letter, a bit for those of the one before it
	ends  [32][]pattern // fixed; x and *x, by the low five bits of x's last letter
	loose []pattern     // fixed; x* and *x*
}

// pattern is one of them.
type pattern struct {
	text []byte // in small letters, without - and _
	head bool   // something may stand before it
}

// newMask returns nil for an empty list. A pattern without a letter is left out: it would match everything.
func newMask(patterns []string) *mask {
	if patterns == nil {
		patterns = DefaultMask()
	}
	if len(patterns) == 0 {
		return nil
	}
	m := new(mask)
	for _, p := range patterns {
		m.add(p)
	}
	return m
}

func (m *mask) add(text string) {
	text, head := strings.CutPrefix(text, "*")
	text, tail := strings.CutSuffix(text, "*")
	p := pattern{text: appendPlain(nil, text), head: head}
	switch {
	case len(p.text) == 0:
	case tail:
		m.loose = append(m.loose, p)
	default:
		last := p.text[len(p.text)-1] & 31
		m.ends[last] = append(m.ends[last], p)
		m.pairs[last] |= pairBit(p.text)
	}
}

// pairBit returns the bit of the letter before the last, every bit where there is none.
func pairBit(text []byte) uint32 {
	if len(text) < 2 {
		return 1<<32 - 1
	}
	return 1 << (text[len(text)-2] & 31)
}

// match tells whether the value of a key is a secret. Most keys do not end with the last two letters of any pattern and
// cost a few ns.
func (m *mask) match(key string) bool {
	if m == nil {
		return false
	}
	n := len(key)
	if n >= 2 && key[n-1] != '-' && key[n-1] != '_' && key[n-2] != '-' && key[n-2] != '_' {
		if m.pairs[key[n-1]&31]>>(key[n-2]&31)&1 == 0 {
			return m.matchLoose(key)
		}
	}
	return m.matchEnds(key) || m.matchLoose(key)
}

func (m *mask) matchEnds(key string) bool {
	key = strings.TrimRight(key, "-_")
	if key == "" {
		return false
	}
	ends := m.ends[key[len(key)-1]&31]
	for i := range ends {
		if ends[i].endsOf(key) {
			return true
		}
	}
	return false
}

// endsOf compares a pattern that is open at its head at most with the last part of a key, from the end on: most
// differ in their first or second letter.
func (p *pattern) endsOf(key string) bool {
	i := len(key) - 1
	for k := len(p.text) - 1; k >= 0; k-- {
		for i >= 0 && (key[i] == '-' || key[i] == '_') {
			i--
		}
		if i < 0 || small(key[i]) != p.text[k] {
			return false
		}
		i--
	}
	for !p.head && i >= 0 && key[i] != '.' {
		if key[i] != '-' && key[i] != '_' {
			return false
		}
		i--
	}
	return true
}

// plainBytes is the longest part of a key that is compared with loose patterns without an allocation.
const plainBytes = 64

func (m *mask) matchLoose(key string) bool {
	if len(m.loose) == 0 {
		return false
	}
	var room [plainBytes]byte
	part := appendPlain(room[:0], key[strings.LastIndexByte(key, '.')+1:])
	for i := range m.loose {
		p := &m.loose[i]
		if p.head && bytes.Contains(part, p.text) || bytes.HasPrefix(part, p.text) {
			return true
		}
	}
	return false
}

// small returns a letter in its small form.
func small(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// appendPlain appends s in small letters, without - and _.
func appendPlain(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c != '-' && c != '_' {
			dst = append(dst, small(c))
		}
	}
	return dst
}
