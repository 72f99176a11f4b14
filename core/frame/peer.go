package frame

import (
	"encoding/binary"
	"unicode/utf8"

	"vitrine/core/packet"
)

// A LAN frame between two of our own servers; length counts the payload
// only, never the extension blocks:
//
//	        | length u16, bit 15 clear | payload [length] |
//	        | length u16, bit 15 set | blocks | payload [length] |
//	blocks  | kind u8 | block | and, while bit 7 of kind is set, one more
//
//	kind 1 origin   | worker u16 | sequence u48 |                8 bytes
//	kind 2 context  | trace id [16] | span id [8] | flags u8 |  25 bytes
//	kind 3 call     | request id u32 | flags u8 |                5 bytes
const (
	extended = 0x8000 // bit of length: extension blocks follow
	another  = 0x80   // bit of kind: one more block follows
	peerMax  = 0x7fff // largest payload

	kindOrigin  = 1
	kindContext = 2
	kindCall    = 3

	originLen     = 8
	contextLen    = 25
	callLen       = 5
	extensionsMax = 3 + originLen + contextLen + callLen

	sequenceMask = 1<<48 - 1
)

// The first frame of each side is a plain LAN frame with this payload:
//
//	| type u16 = 0 | magic u32 | version u16 | boot id u64 |
//	| name length u8 | name [0..255], UTF-8 |
const (
	helloMagic   = 0x4E525456 // "VTRN" on the wire
	helloVersion = 1
	helloLen     = 17 // without the name
	nameMax      = 255
)

func appendHello(dst []byte, self PeerConfig) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint16(dst, uint16(helloLen+len(self.Name)))
	dst = le.AppendUint16(dst, 0)
	dst = le.AppendUint32(dst, helloMagic)
	dst = le.AppendUint16(dst, helloVersion)
	dst = le.AppendUint64(dst, self.BootID)
	dst = append(dst, byte(len(self.Name)))
	return append(dst, self.Name...)
}

// readHello reads the other side's hello and opens the session.
func (st *State) readHello(frame []byte) error {
	payload, err := openLAN(frame)
	if err != nil || len(payload) < helloLen {
		return ErrHandshake
	}
	le := binary.LittleEndian
	name := payload[helloLen:]
	if le.Uint16(payload) != 0 ||
		le.Uint32(payload[2:]) != helloMagic ||
		le.Uint16(payload[6:]) != helloVersion ||
		int(payload[16]) != len(name) || !utf8.Valid(name) {
		return ErrHandshake
	}
	st.peer = &PeerConfig{
		BootID: le.Uint64(payload[8:]), Name: string(name),
	}
	st.open()
	return nil
}

func (c *Codec) sizePeer(b []byte) (int, error) {
	if len(b) < lengthLen {
		return 0, nil
	}
	length := binary.LittleEndian.Uint16(b)
	n := int(length &^ extended)
	if n == 0 || n > c.MaxPayload() {
		return 0, ErrBadLength
	}
	if length&extended == 0 {
		return lengthLen + n, nil
	}
	blocks, err := chainLen(b[lengthLen:])
	if blocks == 0 || err != nil {
		return 0, err
	}
	return lengthLen + blocks + n, nil
}

// chainLen returns the bytes of the chain of blocks at the front of b, 0
// while b ends before the last kind byte. Each kind comes at most once,
// which bounds the chain.
func chainLen(b []byte) (int, error) {
	seen, n := 0, 0
	for n < len(b) {
		kind := b[n] &^ another
		size := blockLen(kind)
		if size == 0 || seen>>kind&1 != 0 {
			return 0, ErrBadExtension
		}
		more := b[n]&another != 0
		seen |= 1 << kind
		n += 1 + size
		if !more {
			return n, nil
		}
		if seen == 1<<kindOrigin|1<<kindContext|1<<kindCall {
			return 0, ErrBadExtension // no kind is left for another
		}
	}
	return 0, nil
}

// blockLen is 0 for a kind that is not known.
func blockLen(kind byte) int {
	switch kind {
	case kindOrigin:
		return originLen
	case kindContext:
		return contextLen
	case kindCall:
		return callLen
	}
	return 0
}

func (c *Codec) openPeer(
	st *State, frame []byte, ext *packet.Ext,
) ([]byte, error) {
	if st == nil || st.recvErr != nil {
		return nil, ErrHandshake
	}
	size, err := c.sizePeer(frame)
	if err != nil {
		return nil, err
	}
	if size == 0 || size != len(frame) {
		return nil, ErrBadLength
	}
	length := int(binary.LittleEndian.Uint16(frame) &^ extended)
	blocks := frame[lengthLen : size-length]
	if ext != nil {
		readBlocks(blocks, ext)
	}
	return frame[size-length : size : size], nil
}

// readBlocks reads a chain that chainLen has measured.
func readBlocks(b []byte, ext *packet.Ext) {
	le := binary.LittleEndian
	for len(b) > 0 {
		kind := b[0] &^ another
		block := b[1 : 1+blockLen(kind)]
		b = b[1+len(block):]
		switch kind {
		case kindOrigin:
			ext.Kinds |= packet.ExtOrigin
			origin := le.Uint64(block)
			ext.OriginWorker = uint16(origin)
			ext.OriginSeq = origin >> 16
		case kindContext:
			ext.Kinds |= packet.ExtContext
			copy(ext.TraceID[:], block)
			copy(ext.SpanID[:], block[16:])
			ext.ContextFlags = block[24]
		case kindCall:
			ext.Kinds |= packet.ExtCall
			ext.CallID = le.Uint32(block)
			ext.CallFlags = block[4]
		}
	}
}

func sealPeer(
	st *State, dst, payload []byte, ext *packet.Ext,
) ([]byte, error) {
	if st == nil || st.sendErr != nil {
		return dst, ErrHandshake
	}
	length := uint16(len(payload))
	if ext == nil || ext.Kinds&extKnown == 0 {
		dst = binary.LittleEndian.AppendUint16(dst, length)
		return append(dst, payload...), nil
	}
	dst = binary.LittleEndian.AppendUint16(dst, length|extended)
	dst = appendBlocks(dst, ext)
	return append(dst, payload...), nil
}

const extKnown = packet.ExtOrigin | packet.ExtContext | packet.ExtCall

// appendBlocks writes the blocks of ext in the order of their kinds. Of
// OriginSeq the low 48 bits are written.
func appendBlocks(dst []byte, ext *packet.Ext) []byte {
	le := binary.LittleEndian
	left := ext.Kinds & extKnown
	kind := func(wire, bit byte) byte {
		left &^= bit
		if left != 0 {
			wire |= another
		}
		return wire
	}
	if left&packet.ExtOrigin != 0 {
		dst = append(dst, kind(kindOrigin, packet.ExtOrigin))
		sequence := ext.OriginSeq & sequenceMask
		dst = le.AppendUint64(dst, sequence<<16|uint64(ext.OriginWorker))
	}
	if left&packet.ExtContext != 0 {
		dst = append(dst, kind(kindContext, packet.ExtContext))
		dst = append(dst, ext.TraceID[:]...)
		dst = append(dst, ext.SpanID[:]...)
		dst = append(dst, ext.ContextFlags)
	}
	if left&packet.ExtCall != 0 {
		dst = append(dst, kind(kindCall, packet.ExtCall))
		dst = le.AppendUint32(dst, ext.CallID)
		dst = append(dst, ext.CallFlags)
	}
	return dst
}
