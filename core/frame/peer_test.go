package frame

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"vitrine/core/packet"
)

var fullExt = packet.Ext{
	CallFlags: 3, ContextFlags: 1, OriginWorker: 0xfffe,
	CallID: 0xfedcba98, OriginSeq: 0x010203040506,
	TraceID: [16]byte{0: 1, 15: 2}, SpanID: [8]byte{0: 3, 7: 4},
}

// only returns what a reader of a frame with these kinds learns of ext.
func only(ext packet.Ext, kinds uint8) packet.Ext {
	got := packet.Ext{Kinds: kinds}
	if kinds&packet.ExtOrigin != 0 {
		got.OriginWorker, got.OriginSeq = ext.OriginWorker, ext.OriginSeq
	}
	if kinds&packet.ExtContext != 0 {
		got.TraceID, got.SpanID = ext.TraceID, ext.SpanID
		got.ContextFlags = ext.ContextFlags
	}
	if kinds&packet.ExtCall != 0 {
		got.CallID, got.CallFlags = ext.CallID, ext.CallFlags
	}
	return got
}

func TestExtensionsTravelWithTheirPacket(t *testing.T) {
	p := connected(t)["peer"]
	blocks := map[uint8]int{1: 9, 2: 26, 4: 6}
	for kinds := range uint8(8) {
		ext := fullExt
		ext.Kinds = kinds
		frame := must(p.client.Seal(p.clientSt, nil, []byte("abc"), &ext))
		want := 5
		for bit, n := range blocks {
			if kinds&bit != 0 {
				want += n
			}
		}
		if len(frame) != want {
			t.Errorf("kinds %d: %d bytes, want %d", kinds, len(frame), want)
		}
		var got packet.Ext
		payload, err := p.server.Open(p.serverSt, frame, &got)
		if err != nil || string(payload) != "abc" {
			t.Errorf("kinds %d: %q, %v", kinds, payload, err)
		}
		if want := only(ext, kinds); got != want {
			t.Errorf("kinds %d: ext %+v, want %+v", kinds, got, want)
		}
		again := must(p.client.Seal(p.clientSt, nil, []byte("abc"), &ext))
		if _, err := p.server.Open(p.serverSt, again, nil); err != nil {
			t.Errorf("kinds %d without ext: %v", kinds, err)
		}
	}
}

func TestExtensionBlocksMayComeInAnyOrder(t *testing.T) {
	p := connected(t)["peer"]
	frame := unhex(t, "0180"+"83"+"0700000001"+"01"+"0300"+"2a0000000000"+
		"ee")
	var ext packet.Ext
	payload, err := p.server.Open(p.serverSt, frame, &ext)
	want := packet.Ext{
		Kinds:  packet.ExtOrigin | packet.ExtCall,
		CallID: 7, CallFlags: 1, OriginWorker: 3, OriginSeq: 42,
	}
	if err != nil || !bytes.Equal(payload, []byte{0xee}) || ext != want {
		t.Errorf("Open = %x, %+v, %v", payload, ext, err)
	}
}

func TestOriginSequenceIs48Bits(t *testing.T) {
	p := connected(t)["peer"]
	ext := packet.Ext{
		Kinds: packet.ExtOrigin, OriginWorker: 5,
		OriginSeq: math.MaxUint64,
	}
	frame := must(p.client.Seal(p.clientSt, nil, []byte{1}, &ext))
	var got packet.Ext
	must(p.server.Open(p.serverSt, frame, &got))
	if got.OriginWorker != 5 || got.OriginSeq != 1<<48-1 {
		t.Errorf("origin %d %x", got.OriginWorker, got.OriginSeq)
	}
}

func TestPeerRefusesBadExtensions(t *testing.T) {
	p := connected(t)["peer"]
	tests := []struct {
		name, frame string
		want        error
	}{
		{"unknown kind", "018004" + "ee", ErrBadExtension},
		{"kind twice", "0180" + "83" + "0000000000" + "03" +
			"0000000000" + "ee", ErrBadExtension},
		{"block cut", "0180" + "03" + "000000", ErrBadLength},
		{"chain cut", "0180" + "83" + "0000000000", ErrBadLength},
		{"no payload", "0080" + "03" + "0000000000", ErrBadLength},
	}
	for _, tt := range tests {
		_, err := p.server.Open(p.serverSt, unhex(t, tt.frame), nil)
		if err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestHelloTellsWhoThePeerIs(t *testing.T) {
	for _, name := range []string{"", "game-1", strings.Repeat("ä", 127)} {
		self := PeerConfig{BootID: 0xfeedfacecafebeef, Name: name}
		a := must(LAN(LANConfig{Peer: &self}))
		b := must(LAN(LANConfig{Peer: &PeerConfig{2, "b"}}))
		for _, initiator := range []bool{true, false} {
			st := must(b.NewState(!initiator))
			sent := must(a.Greet(must(a.NewState(initiator)), nil))
			if n, err := b.HandshakeSize(sent); n != len(sent) {
				t.Fatalf("HandshakeSize = %d, %v", n, err)
			}
			if st.Peer() != (PeerConfig{}) {
				t.Error("a peer is known before its hello")
			}
			reply, done, err := b.Handshake(st, sent, nil)
			if err != nil || !done || len(reply) != 0 {
				t.Fatalf("Handshake = %x, %v, %v", reply, done, err)
			}
			if st.Peer() != self {
				t.Errorf("Peer = %+v", st.Peer())
			}
		}
	}
}

func TestBadHelloIsRefused(t *testing.T) {
	good := "1200" + "0000" + "5654524e" + "0100" + "0100000000000000" +
		"01" + "78"
	tests := []struct{ name, frame string }{
		{"type", strings.Replace(good, "12000000", "12000100", 1)},
		{"magic", strings.Replace(good, "5654", "5655", 1)},
		{"version", strings.Replace(good, "4e0100", "4e0200", 1)},
		{"name too long", strings.Replace(good, "0178", "0278", 1)},
		{"name too short", strings.Replace(good, "0178", "0078", 1)},
		{"name not utf8", strings.Replace(good, "0178", "01ff", 1)},
		{"too short", "1000" + good[4:36]},
		{"cut", good[:len(good)-2]},
		{"extended", "1280" + "03" + "0000000000" + good[4:]},
		{"empty", ""},
	}
	c := must(LAN(LANConfig{Peer: &PeerConfig{2, "b"}}))
	if _, done, err := c.Handshake(must(c.NewState(false)),
		unhex(t, good), nil); !done || err != nil {
		t.Fatalf("good hello: %v", err)
	}
	for _, tt := range tests {
		st := must(c.NewState(false))
		reply, done, err := c.Handshake(st, unhex(t, tt.frame), []byte("r"))
		if done || err != ErrHandshake || string(reply) != "r" {
			t.Errorf("%s: %q, %v, %v", tt.name, reply, done, err)
		}
		if _, err := c.Open(st, []byte("\x01\x00a"), nil); err !=
			ErrHandshake {
			t.Errorf("%s: Open after it: %v", tt.name, err)
		}
	}
}
