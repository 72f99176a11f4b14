package frame

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// LANConfig configures a LAN codec; the zero value is a classic peer.
type LANConfig struct {
	// MaxPayload in bytes. 0: 65,535, or 32,767 with Peer; no more than
	// that either.
	MaxPayload int

	// Peer is what this server says of itself to one of our own servers:
	// both sides send a hello first, and extension blocks may precede the
	// payload. nil: the other side is a classic peer, and neither exists.
	Peer *PeerConfig
}

// PeerConfig is what a hello says: who a server is, and which run of it.
type PeerConfig struct {
	BootID uint64
	Name   string // UTF-8, at most 255 bytes
}

// LAN returns the server-to-server codec. The error names every field
// that is out of its limits.
func LAN(cfg LANConfig) (Codec, error) {
	if cfg.Peer == nil {
		short, err := shortOf(cfg.MaxPayload, lengthMax)
		if err != nil {
			return Codec{}, fmt.Errorf("lan codec: %w", err)
		}
		return Codec{form: formLAN, short: short}, nil
	}
	short, err := shortOf(cfg.MaxPayload, peerMax)
	err = errors.Join(err, cfg.Peer.validate())
	if err != nil {
		return Codec{}, fmt.Errorf("lan peer codec: %w", err)
	}
	hello := appendHello(nil, *cfg.Peer)
	return Codec{form: formPeer, short: short, hello: hello}, nil
}

func (p PeerConfig) validate() error {
	if len(p.Name) > nameMax {
		return fmt.Errorf("peer name has %d bytes, limit %d",
			len(p.Name), nameMax)
	}
	if !utf8.ValidString(p.Name) {
		return fmt.Errorf("peer name %q is not UTF-8", p.Name)
	}
	return nil
}

// ClassicConfig configures classic A or B. A zero field means the byte
// the family uses in practice, so 0 itself cannot be chosen.
type ClassicConfig struct {
	Code       byte // first byte of each frame; 0: 0x77
	Key        byte // K of codec B, 0: 0x32; K1 of codec A, 0: 50
	Key2       byte // K2 of codec A, 0: 132; not used by B
	MaxPayload int  // bytes; 0: 65,535, the limit

	// RandKey gives the random byte of each frame; any goroutine that
	// seals calls it. nil: math/rand/v2. It hides nothing either way.
	RandKey func() byte
}

// ClassicA returns the older codec of classic clients, one byte of
// exclusive or. It is not encryption; see the package comment.
func ClassicA(cfg ClassicConfig) (Codec, error) {
	return classic(cfg, formClassicA, 50, 132)
}

// ClassicB returns the default codec of classic clients. It is not
// encryption; see the package comment.
func ClassicB(cfg ClassicConfig) (Codec, error) {
	return classic(cfg, formClassicB, 0x32, 0)
}

func classic(
	cfg ClassicConfig, form form, key, key2 byte,
) (Codec, error) {
	c := Codec{form: form, randKey: cfg.RandKey}
	short, err := shortOf(cfg.MaxPayload, lengthMax)
	if err != nil {
		return Codec{}, fmt.Errorf("%v codec: %w",
			c.Kind(), err)
	}
	c.short = short
	c.code = or(cfg.Code, 0x77)
	c.key = or(cfg.Key, key)
	c.key2 = or(cfg.Key2, key2)
	return c, nil
}

func or(value, fallback byte) byte {
	if value == 0 {
		return fallback
	}
	return value
}

// shortOf turns a configured maximum into Codec.short.
func shortOf(maxPayload, limit int) (uint16, error) {
	if maxPayload == 0 {
		maxPayload = limit
	}
	if maxPayload < 0 || maxPayload > limit {
		return 0, fmt.Errorf("max payload %d is not in 1..%d",
			maxPayload, limit)
	}
	return uint16(lengthMax - maxPayload), nil
}

// SealedConfig configures a sealed codec. At least one key is needed: the
// private one to accept sessions, the public one to start them.
type SealedConfig struct {
	Private    [KeyLen]byte // the server's own; zero: cannot accept
	PublicKey  [KeyLen]byte // of the server to reach; zero: cannot start
	MaxPayload int          // bytes; 0: 65,518, the limit
}

// Sealed returns the encrypted codec. The error names every field that is
// missing or out of its limits.
func Sealed(cfg SealedConfig) (Codec, error) {
	short, err := shortOf(cfg.MaxPayload, sealedMax)
	keys, keyErr := newSealed(cfg.Private, cfg.PublicKey)
	if err := errors.Join(err, keyErr); err != nil {
		return Codec{}, fmt.Errorf("sealed codec: %w", err)
	}
	return Codec{form: formSealed, short: short, sealed: keys}, nil
}
