package bot

import "encoding/binary"

// Types of the chat messages, the first two bytes of a payload.
const (
	typeLogin       = 1
	typeLoginResult = 2
	typeMove        = 3
	typeMoveResult  = 4
	typeMessage     = 5
	typeDelivery    = 6
	typeHeartbeat   = 7
)

// Lengths of payloads in bytes, the type included; all little-endian:
//
//	login        | 1 u16 | account i64 | id [40] | nickname [40] | key [64] |
//	login result | 2 u16 | status u8 | account i64 |
//	move, result | 3, 4 u16 | account i64 | x u16 | y u16 |
//	message      | 5 u16 | account i64 | bytes u16 | text [bytes] |
//	delivery     | 6 u16 | account i64 | id [40] | nickname [40] | bytes u16 | text [bytes] |
//	heartbeat    | 7 u16 |
const (
	nameLen        = 40 // wchar[20]
	keyLen         = 64
	loginLen       = 2 + 8 + 2*nameLen + keyLen
	loginResultLen = 2 + 1 + 8
	moveLen        = 2 + 8 + 2 + 2
	messageLen     = 2 + 8 + 2             // without the text
	deliveryLen    = 2 + 8 + 2*nameLen + 2 // without the text
)

// A text says whose it is and which, in letters of two bytes:
//
//	character  0        7          16         24
//	           | sender | sequence | checksum | padding up to Size |
//	             6 hex    8 hex      8 hex      a to z
//	             and a space after each of the first two
//
// All of it is a function of seed, sender and sequence.
const (
	textLeast  = 48    // bytes: 24 characters
	textMost   = 65534 // bytes: what a u16 can say, even
	sequenceAt = 7     // characters
	checksumAt = 16
	paddingAt  = 24
)

type names [2 * nameLen]byte // id and nickname as they are on the wire

func putWide(dst []byte, s string) {
	clear(dst)
	for i := range len(s) {
		dst[2*i] = s[i]
	}
}

func appendLogin(dst []byte, account int64, n *names, seed uint64) []byte {
	dst = appendHead(dst, typeLogin, account)
	dst = append(dst, n[:]...)
	for i := uint64(0); i < keyLen/8; i++ {
		dst = binary.LittleEndian.AppendUint64(dst, mix(seed^uint64(account)+i))
	}
	return dst
}

func appendMove(dst []byte, account int64, to sector) []byte {
	dst = appendHead(dst, typeMove, account)
	x, y := to.xy()
	dst = binary.LittleEndian.AppendUint16(dst, x)
	return binary.LittleEndian.AppendUint16(dst, y)
}

func appendMessage(dst []byte, account int64, text []byte) []byte {
	dst = appendHead(dst, typeMessage, account)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(text)))
	return append(dst, text...)
}

func appendHead(dst []byte, typ uint16, account int64) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, typ)
	return binary.LittleEndian.AppendUint64(dst, uint64(account))
}

// delivery is message 6 as it arrived; names and text are views.
type delivery struct {
	account int64
	names   []byte
	text    []byte
}

func parseDelivery(payload []byte) (d delivery, ok bool) {
	if len(payload) < deliveryLen {
		return d, false
	}
	d.account = int64(binary.LittleEndian.Uint64(payload[2:]))
	d.names = payload[10 : 10+2*nameLen]
	d.text = payload[deliveryLen:]
	n := binary.LittleEndian.Uint16(payload[10+2*nameLen:])
	return d, int(n) == len(d.text)
}

// sequence reads the number in a text; false when there is none.
func sequence(text []byte) (n uint32, ok bool) {
	if len(text) < textLeast {
		return 0, false
	}
	for i := sequenceAt; i < sequenceAt+8; i++ {
		digit := unhex(text[2*i])
		if digit > 15 || text[2*i+1] != 0 {
			return 0, false
		}
		n = n<<4 | uint32(digit)
	}
	return n, true
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// writeText fills text, whose length is the configured one.
func writeText(text []byte, seed uint64, sender, sequence uint32) {
	clear(text)
	putHex(text, 0, 6, sender)
	putHex(text, sequenceAt, 8, sequence)
	sum := mix(seed ^ uint64(sender)<<32 ^ uint64(sequence))
	putHex(text, checksumAt, 8, uint32(sum))
	text[2*6], text[2*15] = ' ', ' '
	for i := paddingAt; 2*i < len(text); i++ {
		sum = sum*6364136223846793005 + 1442695040888963407
		text[2*i] = 'a' + byte(sum>>59)%26
	}
}

func putHex(text []byte, at, digits int, v uint32) {
	for i := at + digits - 1; i >= at; i-- {
		text[2*i] = "0123456789abcdef"[v&15]
		v >>= 4
	}
}
