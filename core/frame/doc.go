// Package frame cuts a byte stream into frames and seals and opens them:
// LAN, NET classic A and B, and NET sealed.
//
//	stream --Size--> one whole frame --Open--> payload (a view, in place)
//	stream <------------ one frame <--Seal---- payload (copied once)
//
// What a frame adds to its payload, in bytes; integers are little-endian:
//
//	LAN        | length 2 | payload |
//	LAN peer   | length 2 | blocks 0..41 | payload |
//	classic    | code 1 | length 2 | randKey 1 | checksum 1 | payload |
//	sealed     | length 2 | kind 1 | payload | tag 16 |
//
//	codec      largest payload   before the first packet
//	LAN        65,535            nothing
//	LAN peer   32,767            each side sends a hello
//	classic    65,535            nothing
//	sealed     65,518            two messages of 48 bytes: Noise NK
//
// Classic A and B are not encryption: B has a shared key of one byte and
// a checksum of eight bits, A sends its effective key in the header. They
// exist for the clients that speak them. A public listener must use the
// sealed codec.
//
// Everything a peer sends is hostile until shown otherwise: a header out
// of its limits is an error as soon as it can be read, Size never asks
// for more than MaxFrame bytes, and Open reads nothing outside the frame
// it was given. Size, Open and Seal allocate nothing, but for a new key
// in each direction of a sealed session every 2^20 frames.
//
// Source: The Noise Protocol Framework, revision 34, pattern
// Noise_NK_25519_ChaChaPoly_BLAKE2s, REKEY of section 4.2; RFC 8439 for
// ChaCha20-Poly1305. The handshake is github.com/flynn/noise; its keys
// are then used with golang.org/x/crypto/chacha20poly1305.
package frame
