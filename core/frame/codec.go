package frame

import (
	"encoding/binary"
	"slices"

	"vitrine/core/packet"
)

// Kind names a frame format. The zero Kind is KindLAN.
type Kind uint8

// The four frame formats.
const (
	KindLAN Kind = iota
	KindClassicA
	KindClassicB
	KindSealed
)

// String returns the word that configuration, logs and metrics use.
func (k Kind) String() string {
	switch k {
	case KindLAN:
		return "lan"
	case KindClassicA:
		return "classic-a"
	case KindClassicB:
		return "classic-b"
	case KindSealed:
		return "sealed"
	}
	return "unknown"
}

// form is what the methods switch on: a Kind, with LAN split in two.
type form uint8

const (
	formLAN  form = iota // to a classic peer: no state, no extensions
	formPeer             // LAN to one of our own servers
	formClassicA
	formClassicB
	formSealed
)

const (
	lengthLen  = 2     // the u16 in front of LAN and sealed frames
	classicLen = 5     // code, length u16, randKey, checksum
	lengthMax  = 65535 // what a u16 length can say
)

// Codec cuts one stream into frames and opens and seals them. It is a
// value, fixed after its constructor, and any number of goroutines may
// share it: what one session remembers is in State. The zero Codec is LAN
// to a classic peer with payloads up to 65,535 bytes.
//
// A session's life on a codec: NewState, Greet, Handshake until done (no
// step of these three where NewState returns nil), then Size and Open for
// each frame that arrives and Seal for each packet that leaves.
type Codec struct {
	form      form
	code      byte
	key, key2 byte
	short     uint16      // 65535 - MaxPayload, so that 0 is the default
	randKey   func() byte // classic; nil: math/rand/v2
	hello     []byte      // peer: the whole frame Greet sends
	sealed    *sealed     // keys of a sealed codec
}

// Kind returns the frame format.
func (c *Codec) Kind() Kind {
	switch c.form {
	case formClassicA:
		return KindClassicA
	case formClassicB:
		return KindClassicB
	case formSealed:
		return KindSealed
	}
	return KindLAN
}

// MaxPayload returns the largest payload in bytes that Seal takes and
// Open gives.
func (c *Codec) MaxPayload() int { return lengthMax - int(c.short) }

// HeaderLen returns the most bytes Size needs to see before it answers.
func (c *Codec) HeaderLen() int {
	switch c.form {
	case formPeer:
		return lengthLen + extensionsMax
	case formClassicA, formClassicB:
		return classicLen
	}
	return lengthLen
}

// Overhead returns the most bytes Seal adds to a payload.
func (c *Codec) Overhead() int {
	if c.form == formSealed {
		return sealedOverhead
	}
	return c.HeaderLen()
}

// MaxFrame returns the largest answer of Size, handshake frames included:
// a buffer of that many bytes holds any frame.
func (c *Codec) MaxFrame() int {
	return max(c.Overhead()+c.MaxPayload(), c.maxHandshake())
}

// Stateless reports whether a frame is the same bytes for every session:
// LAN to a classic peer, classic A and B. NewState returns nil for these,
// there is no handshake, and a frame sealed once may be sent to many.
func (c *Codec) Stateless() bool {
	return c.form != formPeer && c.form != formSealed
}

// Size returns the length in bytes of the whole frame, header included,
// at the front of b; 0 while b is too short to tell. It reads no state:
// the same bytes have the same answer in every phase, and once it has
// answered, more bytes do not change the answer. At most MaxFrame;
// otherwise ErrBadCode, ErrBadLength or ErrBadExtension.
func (c *Codec) Size(b []byte) (int, error) {
	if c.form != formLAN {
		return c.sizeOther(b)
	}
	if len(b) < lengthLen {
		return 0, nil
	}
	n := int(binary.LittleEndian.Uint16(b))
	if n == 0 || n > c.MaxPayload() {
		return 0, ErrBadLength
	}
	return lengthLen + n, nil
}

func (c *Codec) sizeOther(b []byte) (int, error) {
	switch c.form {
	case formPeer:
		return c.sizePeer(b)
	case formSealed:
		return c.sizeSealed(b)
	}
	return c.sizeClassic(b)
}

// Open returns the payload of one whole frame, Size(frame) bytes of it,
// after the handshake. It works in place: the payload is a view of frame,
// whose bytes it changes, and lives as long as they do. ext, which may be
// nil, receives the extension blocks: Kinds says which fields hold
// something and is 0 where there were none. The caller owns frame and, on
// the session's goroutine, st. ErrClosed is the peer's goodbye, any other
// error the reason to close the session.
func (c *Codec) Open(
	st *State, frame []byte, ext *packet.Ext,
) (payload []byte, err error) {
	if ext != nil {
		ext.Kinds = 0
	}
	if c.form != formLAN {
		return c.openOther(st, frame, ext)
	}
	return openLAN(frame)
}

func (c *Codec) openOther(
	st *State, frame []byte, ext *packet.Ext,
) ([]byte, error) {
	switch c.form {
	case formClassicB:
		return c.openB(frame)
	case formClassicA:
		return c.openA(frame)
	case formSealed:
		return c.openSealed(st, frame)
	}
	return c.openPeer(st, frame, ext)
}

func openLAN(frame []byte) ([]byte, error) {
	n := len(frame)
	if n <= lengthLen ||
		int(binary.LittleEndian.Uint16(frame)) != n-lengthLen {
		return nil, ErrBadLength
	}
	return frame[lengthLen:n:n], nil
}

// Seal appends one frame that carries payload to dst and returns the
// extended slice. It never changes payload, which must not overlap the
// free part of dst, and allocates only where dst has no room. ext, nil
// for none, is written as extension blocks to a peer that is our own; the
// other codecs have no place for it and leave it out. On an error dst
// comes back as it was: ErrTooLong, ErrBadLength for an empty payload,
// ErrHandshake before the handshake is done, ErrClosed after SealClose. A
// sealed frame uses up its nonce: what Seal returned must be sent, in
// order.
func (c *Codec) Seal(
	st *State, dst, payload []byte, ext *packet.Ext,
) ([]byte, error) {
	if uint(len(payload)-1) >= uint(c.MaxPayload()) {
		return dst, refusal(len(payload))
	}
	if c.form != formLAN {
		return c.sealOther(st, dst, payload, ext)
	}
	dst, frame := grow(dst, lengthLen+len(payload))
	binary.LittleEndian.PutUint16(frame, uint16(len(payload)))
	copy(frame[lengthLen:], payload)
	return dst, nil
}

// refusal says why a payload of that length has no frame.
func refusal(payloadLen int) error {
	if payloadLen == 0 {
		return ErrBadLength
	}
	return ErrTooLong
}

func (c *Codec) sealOther(
	st *State, dst, payload []byte, ext *packet.Ext,
) ([]byte, error) {
	switch c.form {
	case formClassicB:
		return c.sealB(dst, payload), nil
	case formClassicA:
		return c.sealA(dst, payload), nil
	case formSealed:
		return c.sealSealed(st, dst, kindData, payload)
	}
	return sealPeer(st, dst, payload, ext)
}

// grow extends dst by n bytes and returns it and its new part.
func grow(dst []byte, n int) (whole, added []byte) {
	old := len(dst)
	if cap(dst)-old < n {
		dst = slices.Grow(dst, n)
	}
	whole = dst[:old+n]
	return whole, whole[old:]
}
