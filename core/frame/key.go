package frame

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
)

// KeyLen is the length in bytes of a private and of a public key.
const KeyLen = 32

// GenerateKey returns a new private key for a server of sealed sessions.
// Any goroutine may call it. The error is that of the system's source of
// random bytes.
func GenerateKey() (private [KeyLen]byte, err error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return private, fmt.Errorf("generate key: %w", err)
	}
	copy(private[:], key.Bytes())
	return private, nil
}

// PublicKey returns the public key that clients need to know of the
// server that holds private. The error says that private is all zero.
func PublicKey(private [KeyLen]byte) (public [KeyLen]byte, err error) {
	if private == public {
		return public, errors.New("public key: private key is all zero")
	}
	key, err := ecdh.X25519().NewPrivateKey(private[:])
	if err != nil {
		return public, fmt.Errorf("public key: %w", err)
	}
	copy(public[:], key.PublicKey().Bytes())
	return public, nil
}

// FormatKey returns the text form of a key: 43 characters of base64url
// without padding. A private key's text is as secret as the key.
func FormatKey(key [KeyLen]byte) string {
	return base64.RawURLEncoding.EncodeToString(key[:])
}

// ParseKey reads the text form of a key. The error says what is wrong and
// never shows the text, which may be that of a private key.
func ParseKey(text string) (key [KeyLen]byte, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) {
		return key, fmt.Errorf("parse key: not base64url "+
			"without padding at character %d", int64(corrupt)+1)
	}
	if err != nil {
		return key, fmt.Errorf("parse key: %w", err)
	}
	if len(b) != KeyLen {
		return key, fmt.Errorf("parse key: %d bytes, want %d",
			len(b), KeyLen)
	}
	copy(key[:], b)
	if key == ([KeyLen]byte{}) {
		return key, errors.New("parse key: all zero")
	}
	return key, nil
}
