package frame

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"vitrine/core/packet"
)

// must unwraps what a constructor returned.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pair is a session seen from both of its ends.
type pair struct {
	client, server     Codec
	clientSt, serverSt *State
}

// testKey is a private key of nothing but b.
func testKey(b byte) (key [KeyLen]byte) {
	copy(key[:], bytes.Repeat([]byte{b}, KeyLen))
	return key
}

// codecs returns both ends of every form, not yet connected.
func codecs() map[string]pair {
	private := testKey(7)
	public := must(PublicKey(private))
	return map[string]pair{
		"lan": {client: must(LAN(LANConfig{})), server: Codec{}},
		"peer": {
			client: must(LAN(LANConfig{Peer: &PeerConfig{1, "chat"}})),
			server: must(LAN(LANConfig{Peer: &PeerConfig{2, "login"}})),
		},
		"classic-a": {
			client: must(ClassicA(ClassicConfig{})),
			server: must(ClassicA(ClassicConfig{})),
		},
		"classic-b": {
			client: must(ClassicB(ClassicConfig{})),
			server: must(ClassicB(ClassicConfig{})),
		},
		"sealed": {
			client: must(Sealed(SealedConfig{PublicKey: public})),
			server: must(Sealed(SealedConfig{Private: private})),
		},
	}
}

// connect does the handshake of p.
func (p *pair) connect(t testing.TB) {
	t.Helper()
	p.clientSt = must(p.client.NewState(true))
	p.serverSt = must(p.server.NewState(false))
	if p.client.Stateless() {
		return
	}
	toServer := must(p.client.Greet(p.clientSt, nil))
	toClient := must(p.server.Greet(p.serverSt, nil))
	reply, done, err := p.server.Handshake(p.serverSt, toServer, toClient)
	if err != nil || !done {
		t.Fatalf("server handshake: done %v, %v", done, err)
	}
	rest, done, err := p.client.Handshake(p.clientSt, reply, nil)
	if err != nil || !done || len(rest) != 0 {
		t.Fatalf("client handshake: done %v, %v", done, err)
	}
}

// connected returns every form, ready for packets.
func connected(t testing.TB) map[string]pair {
	all := codecs()
	for name, p := range all {
		p.connect(t)
		all[name] = p
	}
	return all
}

func payloadOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

func TestWhatIsSealedOpens(t *testing.T) {
	for name, p := range connected(t) {
		t.Run(name, func(t *testing.T) {
			most := p.client.MaxPayload()
			for _, n := range []int{1, 2, 3, 6, 7, 8, 9, 15, 16, 17, 23,
				32, 255, 256, 1000, most - 1, most} {
				payload := payloadOf(n)
				before := bytes.Clone(payload)
				frame, err := p.client.Seal(
					p.clientSt, []byte("kept"), payload, nil)
				if err != nil {
					t.Fatalf("Seal %d bytes: %v", n, err)
				}
				if !bytes.Equal(payload, before) {
					t.Fatalf("Seal changed its payload of %d bytes", n)
				}
				if string(frame[:4]) != "kept" {
					t.Fatalf("Seal changed what dst held")
				}
				frame = frame[4:]
				checkOpens(t, &p, frame, payload)
			}
		})
	}
}

// checkOpens opens frame at the server and compares.
func checkOpens(t testing.TB, p *pair, frame, want []byte) {
	t.Helper()
	size, err := p.server.Size(frame)
	if err != nil || size != len(frame) {
		t.Fatalf("Size = %d, %v; want %d", size, err, len(frame))
	}
	if size > len(want)+p.client.Overhead() {
		t.Fatalf("%d bytes around %d, Overhead is %d",
			size, len(want), p.client.Overhead())
	}
	if size > p.server.MaxFrame() {
		t.Fatalf("Size %d above MaxFrame %d", size, p.server.MaxFrame())
	}
	got, err := p.server.Open(p.serverSt, frame, nil)
	if err != nil {
		t.Fatalf("Open %d bytes: %v", len(want), err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("Open %d bytes gives other bytes", len(want))
	}
	if cap(got) != len(got) {
		t.Fatalf("payload can grow over the bytes behind its frame")
	}
}

func TestSizeAnswersWithTheHeader(t *testing.T) {
	for name, p := range connected(t) {
		frame := must(p.client.Seal(p.clientSt, nil, payloadOf(9), nil))
		header := 5
		if name == "lan" || name == "peer" || name == "sealed" {
			header = 2
		}
		for n := range frame {
			size, err := p.server.Size(frame[:n])
			want := len(frame)
			if n < header {
				want = 0
			}
			if err != nil || size != want {
				t.Errorf("%s: Size of %d bytes = %d, %v; want %d",
					name, n, size, err, want)
			}
		}
	}
}

func TestSizeRefusesHostileHeaders(t *testing.T) {
	small := 100
	private := testKey(7)
	lan := must(LAN(LANConfig{MaxPayload: small}))
	peer := must(LAN(LANConfig{
		MaxPayload: small, Peer: &PeerConfig{1, "x"}}))
	a := must(ClassicA(ClassicConfig{MaxPayload: small}))
	b := must(ClassicB(ClassicConfig{MaxPayload: small}))
	sealed := must(Sealed(SealedConfig{
		Private: private, MaxPayload: small}))
	tests := []struct {
		name  string
		codec Codec
		bytes string
		want  int
		err   error
	}{
		{"lan zero", lan, "0000", 0, ErrBadLength},
		{"lan most", lan, "6400", 102, nil},
		{"lan above", lan, "6500", 0, ErrBadLength},
		{"lan bit 15", lan, "0180", 0, ErrBadLength},
		{"lan default bit 15", Codec{}, "0180", 0x8003, nil},
		{"lan default most", Codec{}, "ffff", 65537, nil},
		{"peer zero", peer, "0080", 0, ErrBadLength},
		{"peer above", peer, "6580", 0, ErrBadLength},
		{"peer no kind yet", peer, "6480", 0, nil},
		{"peer origin", peer, "648001", 111, nil},
		{"peer context", peer, "648002", 128, nil},
		{"peer call", peer, "648003", 108, nil},
		{"peer chain not there", peer, "648083aabbccdd01", 0, nil},
		{"peer chain", peer, "648083aabbccdd0101", 117, nil},
		{"peer kind 0", peer, "648000", 0, ErrBadExtension},
		{"peer kind 4", peer, "648004", 0, ErrBadExtension},
		{"peer kind 127", peer, "6480ff", 0, ErrBadExtension},
		{"peer kind twice", peer, "648083aabbccdd0103", 0,
			ErrBadExtension},
		{"a code", a, "7801000000", 0, ErrBadCode},
		{"b code", b, "0001000000", 0, ErrBadCode},
		{"a zero", a, "7700000000", 0, ErrBadLength},
		{"b zero", b, "7700000000", 0, ErrBadLength},
		{"a above", a, "7765000000", 0, ErrBadLength},
		{"b above", b, "77ffff0000", 0, ErrBadLength},
		{"b most", b, "7764000000", 105, nil},
		{"sealed zero", sealed, "0000", 0, ErrBadLength},
		{"sealed 16", sealed, "1000", 0, ErrBadLength},
		{"sealed 17", sealed, "1100", 19, nil},
		{"sealed most", sealed, "7500", 119, nil},
		{"sealed above", sealed, "7600", 0, ErrBadLength},
	}
	for _, tt := range tests {
		got, err := tt.codec.Size(unhex(t, tt.bytes))
		if got != tt.want || err != tt.err {
			t.Errorf("%s: Size = %d, %v; want %d, %v",
				tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestSealRefusesWhatNoFrameHolds(t *testing.T) {
	for name, p := range connected(t) {
		dst := []byte("kept")
		tooLong := make([]byte, p.client.MaxPayload()+1)
		got, err := p.client.Seal(p.clientSt, dst, tooLong, nil)
		if err != ErrTooLong || string(got) != "kept" {
			t.Errorf("%s: too long: %q, %v", name, got, err)
		}
		got, err = p.client.Seal(p.clientSt, dst, nil, nil)
		if err != ErrBadLength || string(got) != "kept" {
			t.Errorf("%s: empty: %q, %v", name, got, err)
		}
	}
}

func TestOpenRefusesAFrameOfAnotherLength(t *testing.T) {
	for name, p := range connected(t) {
		frame := must(p.client.Seal(p.clientSt, nil, payloadOf(20), nil))
		for n := range len(frame) {
			short := bytes.Clone(frame[:n])
			got, err := p.server.Open(p.serverSt, short, nil)
			if err != ErrBadLength || got != nil {
				t.Errorf("%s: %d of %d bytes: %v", name, n, len(frame), err)
			}
		}
		long := append(bytes.Clone(frame), 0)
		if _, err := p.server.Open(p.serverSt, long, nil); err !=
			ErrBadLength {
			t.Errorf("%s: a byte too many: %v", name, err)
		}
	}
}

// In B one altered byte changes up to three plain bytes, whose changes
// may cancel out; the last one stands alone.
func TestClassicChecksum(t *testing.T) {
	all := connected(t)
	for name, first := range map[string]int{
		"classic-a": offChecksum, "classic-b": 24} {
		p := all[name]
		frame := must(p.client.Seal(nil, nil, payloadOf(20), nil))
		for i := first; i < len(frame); i++ {
			bad := bytes.Clone(frame)
			bad[i] ^= 0x10
			_, err := p.server.Open(nil, bad, nil)
			if err != ErrBadChecksum {
				t.Errorf("%s: byte %d altered: %v", name, i, err)
			}
		}
	}
}

func TestClassicRandKeyIsTheConfigured(t *testing.T) {
	next := byte(0)
	chance := func() byte { next++; return next }
	b := must(ClassicB(ClassicConfig{RandKey: chance}))
	a := must(ClassicA(ClassicConfig{RandKey: chance, Key: 1, Key2: 2}))
	first := must(b.Seal(nil, nil, []byte{9}, nil))
	second := must(a.Seal(nil, nil, []byte{9}, nil))
	if first[offRandKey] != 1 || second[offRandKey] != 2^1^2 {
		t.Errorf("randKey = %d, %d", first[offRandKey], second[offRandKey])
	}
}

func TestZeroCodecIsLAN(t *testing.T) {
	var c Codec
	if c.Kind() != KindLAN || c.MaxPayload() != 65535 || !c.Stateless() {
		t.Errorf("zero codec: %v, %d", c.Kind(), c.MaxPayload())
	}
	frame := must(c.Seal(nil, nil, []byte("abc"), &packet.Ext{Kinds: 7}))
	if string(frame) != "\x03\x00abc" {
		t.Errorf("frame = %x", frame)
	}
}

func TestOpenClearsExtensionKinds(t *testing.T) {
	for name, p := range connected(t) {
		frame := must(p.client.Seal(p.clientSt, nil, []byte("abc"), nil))
		ext := packet.Ext{Kinds: 0xff}
		if _, err := p.server.Open(p.serverSt, frame, &ext); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if ext.Kinds != 0 {
			t.Errorf("%s: Kinds = %#x", name, ext.Kinds)
		}
	}
}

func TestConstructorsNameBadFields(t *testing.T) {
	long := strings.Repeat("n", 256)
	tests := []struct {
		name string
		make func() (Codec, error)
		want []string
	}{
		{"lan", func() (Codec, error) {
			return LAN(LANConfig{MaxPayload: 65536})
		}, []string{"lan codec", "max payload 65536", "1..65535"}},
		{"peer", func() (Codec, error) {
			return LAN(LANConfig{
				MaxPayload: 32768, Peer: &PeerConfig{Name: long}})
		}, []string{"max payload 32768", "name has 256 bytes"}},
		{"peer utf8", func() (Codec, error) {
			return LAN(LANConfig{Peer: &PeerConfig{Name: "\xff"}})
		}, []string{"not UTF-8"}},
		{"a", func() (Codec, error) {
			return ClassicA(ClassicConfig{MaxPayload: -1})
		}, []string{"classic-a codec", "max payload -1"}},
		{"sealed", func() (Codec, error) {
			return Sealed(SealedConfig{MaxPayload: 65519})
		}, []string{"max payload 65519", "neither a private nor"}},
	}
	for _, tt := range tests {
		_, err := tt.make()
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v lacks %q", tt.name, err, want)
			}
		}
	}
}

func TestKindNames(t *testing.T) {
	for name, p := range codecs() {
		want := strings.Replace(name, "peer", "lan", 1)
		if got := p.client.Kind().String(); got != want {
			t.Errorf("Kind of %s = %q", name, got)
		}
	}
	if got := Kind(9).String(); got != "unknown" {
		t.Errorf("Kind(9) = %q", got)
	}
}

func TestKeysHaveATextForm(t *testing.T) {
	private := must(GenerateKey())
	if other := must(GenerateKey()); other == private {
		t.Fatal("the same key twice")
	}
	public := must(PublicKey(private))
	for _, key := range [][KeyLen]byte{private, public} {
		got, err := ParseKey(FormatKey(key))
		if err != nil || got != key {
			t.Errorf("ParseKey(FormatKey) = %x, %v", got, err)
		}
	}
	good := FormatKey(testKey(0xfb))
	tests := []struct{ text, want string }{
		{"", "0 bytes, want 32"},
		{good[:40] + "AA", "31 bytes, want 32"},
		{good[:40] + "+++", "character 41"},
		{good + "=", "character 44"},
		{" " + good, "character 1"},
		{strings.Repeat("A", 43), "all zero"},
	}
	for _, tt := range tests {
		_, err := ParseKey(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseKey(%q): %v, want %q", tt.text, err, tt.want)
		}
	}
	if _, err := PublicKey([KeyLen]byte{}); err == nil {
		t.Error("PublicKey of a zero key: no error")
	}
}

func TestErrorsAreTold(t *testing.T) {
	all := []error{ErrBadCode, ErrBadLength, ErrBadChecksum, ErrBadTag,
		ErrBadExtension, ErrHandshake, ErrClosed, ErrTooLong}
	for i, a := range all {
		for j, b := range all {
			if errors.Is(a, b) != (i == j) {
				t.Errorf("%v and %v are confused", a, b)
			}
		}
	}
}
