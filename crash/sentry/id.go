package sentry

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"vitrine/crash/bundle"
)

// EventID gives the id under which a bundle is reported: the one in its metadata, else one made of the bundle's name, so
// that it is the same each time the bundle is put.
func EventID(m *bundle.Meta) string {
	if isEventID(m.Event) {
		return m.Event
	}
	from := []byte(m.ID)
	if m.ID == "" {
		from, _ = json.Marshal(m)
	}
	sum := sha256.Sum256(from)
	return hex.EncodeToString(sum[:16])
}

// isEventID tells whether a text is 32 hex digits in lower case, not all zero.
func isEventID(text string) bool {
	return len(text) == 32 && isHex(text) && strings.Trim(text, "0") != ""
}

// isHex tells whether a text consists of hex digits in lower case.
func isHex(text string) bool {
	return text != "" && strings.Trim(text, "0123456789abcdef") == ""
}

// newID makes a random id.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
