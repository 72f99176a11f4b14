package frame

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/flynn/noise"
	"golang.org/x/crypto/chacha20poly1305"
)

// A sealed frame, handshake and data:
//
//	handshake  | length u16 = 48 | ephemeral key [32] | tag [16] |
//	data       | length u16 | kind u8, payload [length-17] | tag [16] |
//	                         \____ encrypted as one text ____/
//
// The nonce is the direction's counter of frames, from 0. It goes on when
// the key changes.
const (
	kindData  = 0
	kindClose = 1

	sealedLen      = 1 + chacha20poly1305.Overhead // kind and tag
	sealedOverhead = lengthLen + sealedLen
	sealedMax      = lengthMax - sealedLen

	handshakeLen   = 48
	handshakeFrame = lengthLen + handshakeLen

	// rekeyFrames is how many frames of one direction one key seals: the
	// frames of counter 0..2^20-1 the first, and so on.
	rekeyFrames = 1 << 20

	prologue = "vitrine/1"
)

// sealed is the part of a sealed codec that all its sessions share; fixed
// after newSealed.
type sealed struct {
	suite     noise.CipherSuite
	static    noise.DHKey // this side's, to accept with; may be empty
	server    []byte      // the other side's, to start with; may be nil
	rekey     uint32      // rekeyFrames, but for tests and vectors
	ephemeral []byte      // nil; in tests and vectors instead of chance
}

func newSealed(private, public [KeyLen]byte) (*sealed, error) {
	s := &sealed{
		suite: noise.NewCipherSuite(
			noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2s),
		rekey: rekeyFrames,
	}
	if private == ([KeyLen]byte{}) && public == ([KeyLen]byte{}) {
		return nil, errors.New("neither a private nor a public key")
	}
	if public != ([KeyLen]byte{}) {
		s.server = bytes.Clone(public[:])
	}
	if private == ([KeyLen]byte{}) {
		return s, nil
	}
	own, err := PublicKey(private)
	if err != nil {
		return nil, err
	}
	s.static = noise.DHKey{
		Private: bytes.Clone(private[:]), Public: own[:],
	}
	return s, nil
}

func (s *sealed) newState(initiator bool) (*State, error) {
	cfg := noise.Config{
		CipherSuite: s.suite,
		Pattern:     noise.HandshakeNK,
		Initiator:   initiator,
		Prologue:    []byte(prologue),
	}
	if initiator {
		cfg.PeerStatic = s.server
	} else {
		cfg.StaticKeypair = s.static
	}
	if len(cfg.PeerStatic) == 0 && len(cfg.StaticKeypair.Private) == 0 {
		return nil, errNoKey
	}
	if s.ephemeral != nil {
		cfg.Random = bytes.NewReader(s.ephemeral)
	}
	hs, err := noise.NewHandshakeState(cfg)
	if err != nil {
		return nil, fmt.Errorf("noise: %w", err)
	}
	st := newState(initiator)
	st.noise = hs
	return st, nil
}

// writeMessage appends this side's handshake frame to dst; the acceptor
// is done with it.
func (c *Codec) writeMessage(st *State, dst []byte) ([]byte, error) {
	if st.noise == nil {
		return dst, ErrHandshake
	}
	out := binary.LittleEndian.AppendUint16(dst, handshakeLen)
	out, fromInitiator, toInitiator, err := st.noise.WriteMessage(out, nil)
	if err != nil {
		return dst, ErrHandshake
	}
	if fromInitiator == nil {
		return out, nil
	}
	if err := c.start(st, toInitiator, fromInitiator); err != nil {
		return dst, err
	}
	return out, nil
}

// handshakeSealed reads the other side's handshake frame; the initiator
// is done with it, the acceptor with the answer appended to dst.
func (c *Codec) handshakeSealed(
	st *State, frame, dst []byte,
) ([]byte, error) {
	if len(frame) != handshakeFrame ||
		binary.LittleEndian.Uint16(frame) != handshakeLen {
		return dst, ErrHandshake
	}
	_, fromInitiator, toInitiator, err :=
		st.noise.ReadMessage(nil, frame[lengthLen:])
	if err != nil {
		return dst, ErrHandshake
	}
	if !st.initiator {
		return c.writeMessage(st, dst)
	}
	return dst, c.start(st, fromInitiator, toInitiator)
}

// start opens the session with the keys of both directions.
func (c *Codec) start(st *State, send, recv *noise.CipherState) error {
	errSend := st.send.use(send.UnsafeKey())
	errRecv := st.recv.use(recv.UnsafeKey())
	if errSend != nil || errRecv != nil {
		return ErrHandshake
	}
	st.send.left, st.recv.left = c.sealed.rekey, c.sealed.rekey
	st.noise = nil
	st.open()
	return nil
}

// direction seals or opens the frames of one direction, 40 bytes:
//
//	nonce  | 0 [4] | counter of frames u64 |
type direction struct {
	aead    cipher.AEAD // of the key in use
	nonce   [chacha20poly1305.NonceSize]byte
	left    uint32 // frames until the key changes
	rekeyed func() // told when it has; may be nil
}

func (d *direction) use(key [KeyLen]byte) error {
	aead, err := chacha20poly1305.New(key[:])
	d.aead = aead
	return err
}

// next counts one frame. At a thousand million frames a second the
// counter would last 584 years: its end is not looked for.
func (d *direction) next(rekey uint32) {
	counter := d.nonce[4:]
	n := binary.LittleEndian.Uint64(counter)
	binary.LittleEndian.PutUint64(counter, n+1)
	d.left--
	if d.left == 0 {
		d.rekey()
		d.left = rekey
	}
}

// rekey is Noise's REKEY: the new key is the first 32 bytes of 32 zeros
// sealed with the old one and nonce 2^64-1. The counter stays.
func (d *direction) rekey() {
	var nonce [chacha20poly1305.NonceSize]byte
	binary.LittleEndian.PutUint64(nonce[4:], math.MaxUint64)
	var zeros, key [KeyLen]byte
	copy(key[:], d.aead.Seal(nil, nonce[:], zeros[:], nil))
	if err := d.use(key); err != nil {
		panic("frame: rekey: " + err.Error())
	}
	if d.rekeyed != nil {
		d.rekeyed()
	}
}

func (c *Codec) sizeSealed(b []byte) (int, error) {
	if len(b) < lengthLen {
		return 0, nil
	}
	n := int(binary.LittleEndian.Uint16(b))
	if n < sealedLen || n > max(c.MaxPayload()+sealedLen, handshakeLen) {
		return 0, ErrBadLength
	}
	return lengthLen + n, nil
}

func (c *Codec) openSealed(st *State, frame []byte) ([]byte, error) {
	if st == nil || st.recvErr != nil {
		return nil, st.recvError()
	}
	n := len(frame) - lengthLen
	if n < sealedLen || n > c.MaxPayload()+sealedLen ||
		n != int(binary.LittleEndian.Uint16(frame)) {
		return nil, ErrBadLength
	}
	body := frame[lengthLen:]
	text, err := st.recv.aead.Open(body[:0], st.recv.nonce[:], body, nil)
	if err != nil {
		st.recvErr = ErrBadTag
		return nil, ErrBadTag
	}
	st.recv.next(c.sealed.rekey)
	return st.unwrap(text)
}

// unwrap takes the kind off an authentic text.
func (st *State) unwrap(text []byte) ([]byte, error) {
	switch {
	case text[0] > kindClose:
		return nil, ErrBadCode
	case (text[0] == kindClose) != (len(text) == 1):
		return nil, ErrBadLength
	case text[0] == kindClose:
		st.recvErr = ErrClosed
		return nil, ErrClosed
	}
	return text[1:len(text):len(text)], nil
}

func (c *Codec) sealSealed(
	st *State, dst []byte, kind byte, payload []byte,
) ([]byte, error) {
	if st == nil || st.sendErr != nil {
		return dst, st.sendError()
	}
	n := 1 + len(payload)
	dst, frame := grow(dst, sealedOverhead+len(payload))
	size := n + chacha20poly1305.Overhead
	binary.LittleEndian.PutUint16(frame, uint16(size))
	text := frame[lengthLen : lengthLen+n]
	text[0] = kind
	copy(text[1:], payload)
	st.send.aead.Seal(text[:0], st.send.nonce[:], text, nil)
	st.send.next(c.sealed.rekey)
	return dst, nil
}

// SealClose appends the frame that says that nothing more will come, so
// that the other side can tell an end from a cut: sealed only, the other
// codecs append nothing. After it Seal answers ErrClosed. On an error,
// ErrHandshake before the handshake is done or ErrClosed the second time,
// dst comes back as it was.
func (c *Codec) SealClose(st *State, dst []byte) ([]byte, error) {
	if c.form != formSealed {
		return dst, nil
	}
	dst, err := c.sealSealed(st, dst, kindClose, nil)
	if err == nil {
		st.sendErr = ErrClosed
	}
	return dst, err
}
