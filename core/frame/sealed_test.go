package frame

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"testing"

	"github.com/flynn/noise"
)

// noisePeer is one side of a sealed session done by flynn/noise alone.
type noisePeer struct {
	hs         *noise.HandshakeState
	send, recv *noise.CipherState
}

func newNoisePeer(
	t testing.TB, initiator bool, private, public [KeyLen]byte,
) *noisePeer {
	t.Helper()
	cfg := noise.Config{
		CipherSuite: noise.NewCipherSuite(noise.DH25519,
			noise.CipherChaChaPoly, noise.HashBLAKE2s),
		Pattern: noise.HandshakeNK, Initiator: initiator,
		Prologue: []byte("vitrine/1"), Random: rand.Reader,
	}
	if initiator {
		cfg.PeerStatic = public[:]
	} else {
		cfg.StaticKeypair = noise.DHKey{
			Private: private[:], Public: public[:]}
	}
	return &noisePeer{hs: must(noise.NewHandshakeState(cfg))}
}

// frameOf writes a sealed frame as WIRE.md draws it.
func frameOf(body []byte) []byte {
	size := binary.LittleEndian.AppendUint16(nil, uint16(len(body)))
	return append(size, body...)
}

// connectNoise joins a session of ours with one of flynn/noise.
func connectNoise(t testing.TB, ours bool) (Codec, *State, *noisePeer) {
	t.Helper()
	private := must(GenerateKey())
	public := must(PublicKey(private))
	theirs := newNoisePeer(t, !ours, private, public)
	c := must(Sealed(SealedConfig{Private: private, PublicKey: public}))
	st := must(c.NewState(ours))
	if ours {
		first := must(c.Greet(st, nil))
		_, _, _, err := theirs.hs.ReadMessage(nil, first[2:])
		if err != nil {
			t.Fatal(err)
		}
		second, recv, send, err := theirs.hs.WriteMessage(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		theirs.send, theirs.recv = send, recv
		_, done, err := c.Handshake(st, frameOf(second), nil)
		if err != nil || !done {
			t.Fatal(done, err)
		}
		return c, st, theirs
	}
	first, _, _, err := theirs.hs.WriteMessage(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, done, err := c.Handshake(st, frameOf(first), nil)
	if err != nil || !done {
		t.Fatal(done, err)
	}
	_, send, recv, err := theirs.hs.ReadMessage(nil, second[2:])
	if err != nil {
		t.Fatal(err)
	}
	theirs.send, theirs.recv = send, recv
	return c, st, theirs
}

// Both roles against flynn/noise's own Encrypt, Decrypt and Rekey.
func TestSealedSpeaksNoise(t *testing.T) {
	for _, ours := range []bool{true, false} {
		c, st, theirs := connectNoise(t, ours)
		checkNoise(t, &c, st, theirs, 3)
	}
}

// checkNoise exchanges n frames each way.
func checkNoise(
	t *testing.T, c *Codec, st *State, theirs *noisePeer, n int,
) {
	t.Helper()
	for i := range n {
		payload := payloadOf(1 + 50*i)
		text := append([]byte{kindData}, payload...)
		frame := must(c.Seal(st, nil, payload, nil))
		got, err := theirs.recv.Decrypt(nil, nil, frame[2:])
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("frame %d to noise: %x, %v", i, got, err)
		}
		body := must(theirs.send.Encrypt(nil, nil, text))
		got, err = c.Open(st, frameOf(body), nil)
		if err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("frame %d from noise: %x, %v", i, got, err)
		}
	}
}

func TestSealedRekeysLikeNoise(t *testing.T) {
	c, st, theirs := connectNoise(t, true)
	c.sealed.rekey, st.send.left, st.recv.left = 3, 3, 3
	for range 4 {
		checkNoise(t, &c, st, theirs, 3)
		theirs.send.Rekey()
		theirs.recv.Rekey()
	}
}

// The real boundary: counters are moved to the last frame of a key.
func TestSealedRekeysAfterFrame2To20(t *testing.T) {
	const frames = 1 << 20
	c, st, theirs := connectNoise(t, false)
	if st.send.left != frames || st.recv.left != frames {
		t.Fatalf("left %d, %d; want 2^20", st.send.left, st.recv.left)
	}
	for turn := uint64(1); turn <= 3; turn++ {
		last := turn*frames - 1
		for _, d := range []*direction{&st.send, &st.recv} {
			d.left = 1
			binary.LittleEndian.PutUint64(d.nonce[4:], last)
		}
		theirs.send.SetNonce(last)
		theirs.recv.SetNonce(last)
		checkNoise(t, &c, st, theirs, 1)
		theirs.send.Rekey()
		theirs.recv.Rekey()
		checkNoise(t, &c, st, theirs, 2)
		if st.send.left != frames-2 || st.recv.left != frames-2 {
			t.Fatalf("left %d, %d", st.send.left, st.recv.left)
		}
	}
}

func TestHandshakesDiffer(t *testing.T) {
	p := codecs()["sealed"]
	a := must(p.client.Greet(must(p.client.NewState(true)), nil))
	b := must(p.client.Greet(must(p.client.NewState(true)), nil))
	if bytes.Equal(a, b) || len(a) != 50 {
		t.Errorf("first messages %x and %x", a, b)
	}
}

// sealedFrames returns n frames from the client of a fresh session.
func sealedFrames(t *testing.T, n int) (pair, [][]byte) {
	t.Helper()
	p := connected(t)["sealed"]
	frames := make([][]byte, n)
	for i := range frames {
		payload := []byte{byte(i), 1, 2, 3}
		frames[i] = must(p.client.Seal(p.clientSt, nil, payload, nil))
	}
	return p, frames
}

func TestSealedRefusesWhatWasTouched(t *testing.T) {
	t.Run("altered", func(t *testing.T) {
		for i := lengthLen; i < lengthLen+21; i++ {
			p, frames := sealedFrames(t, 2)
			frames[0][i] ^= 1
			wantBadTag(t, &p, frames[0])
			wantBadTag(t, &p, frames[1])
		}
	})
	t.Run("replayed", func(t *testing.T) {
		p, frames := sealedFrames(t, 1)
		again := bytes.Clone(frames[0])
		must(p.server.Open(p.serverSt, frames[0], nil))
		wantBadTag(t, &p, again)
	})
	t.Run("lost", func(t *testing.T) {
		p, frames := sealedFrames(t, 2)
		wantBadTag(t, &p, frames[1])
	})
	t.Run("reflected", func(t *testing.T) {
		p, frames := sealedFrames(t, 1)
		_, err := p.client.Open(p.clientSt, frames[0], nil)
		if err != ErrBadTag {
			t.Errorf("Open of one's own frame: %v", err)
		}
	})
}

func wantBadTag(t *testing.T, p *pair, frame []byte) {
	t.Helper()
	got, err := p.server.Open(p.serverSt, frame, nil)
	if err != ErrBadTag || got != nil {
		t.Errorf("Open = %x, %v", got, err)
	}
}

func TestCloseEndsADirection(t *testing.T) {
	p := connected(t)["sealed"]
	frame := must(p.client.SealClose(p.clientSt, nil))
	if len(frame) != 19 {
		t.Errorf("close has %d bytes", len(frame))
	}
	for range 2 {
		again, err := p.client.SealClose(p.clientSt, []byte("kept"))
		if err != ErrClosed || string(again) != "kept" {
			t.Errorf("second close: %q, %v", again, err)
		}
		_, err = p.client.Seal(p.clientSt, nil, []byte{1}, nil)
		if err != ErrClosed {
			t.Errorf("Seal after close: %v", err)
		}
		_, err = p.server.Open(p.serverSt, frame, nil)
		if err != ErrClosed {
			t.Errorf("Open of close: %v", err)
		}
	}
	back := must(p.server.Seal(p.serverSt, nil, []byte{1}, nil))
	if _, err := p.client.Open(p.clientSt, back, nil); err != nil {
		t.Errorf("the other direction: %v", err)
	}
}

func TestSealCloseOfOthersIsNothing(t *testing.T) {
	for name, p := range connected(t) {
		if name == "sealed" {
			continue
		}
		got, err := p.client.SealClose(p.clientSt, []byte("kept"))
		if err != nil || string(got) != "kept" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestSealedTextsAreChecked(t *testing.T) {
	tests := []struct {
		name, text string
		want       error
	}{
		{"data without a packet", "\x00", ErrBadLength},
		{"close with more", "\x01x", ErrBadLength},
		{"kind 2", "\x02abc", ErrBadCode},
		{"kind 255", "\xff", ErrBadCode},
	}
	for _, tt := range tests {
		c, st, theirs := connectNoise(t, false)
		body := must(theirs.send.Encrypt(nil, nil, []byte(tt.text)))
		if _, err := c.Open(st, frameOf(body), nil); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestSealedKeepsToItsMaximum(t *testing.T) {
	c, st, theirs := connectNoise(t, false)
	c.short = uint16(lengthMax - 8)
	body := must(theirs.send.Encrypt(nil, nil, make([]byte, 10)))
	if _, err := c.Open(st, frameOf(body), nil); err != ErrBadLength {
		t.Errorf("9 bytes, limit 8: %v", err)
	}
	if n, err := c.Size([]byte{48, 0}); n != 50 || err != nil {
		t.Errorf("a handshake frame above the limit: %d, %v", n, err)
	}
}

func TestBadSealedHandshakeIsRefused(t *testing.T) {
	p := codecs()["sealed"]
	first := must(p.client.Greet(must(p.client.NewState(true)), nil))
	zeroKey := bytes.Clone(first)
	clear(zeroKey[2:34])
	altered := bytes.Clone(first)
	altered[49] ^= 1
	tests := []struct {
		name  string
		frame []byte
	}{
		{"empty", nil}, {"short", first[:49]},
		{"long", append(bytes.Clone(first), 0)},
		{"length 49", append([]byte{49, 0}, first[1:]...)},
		{"length 47", append([]byte{47, 0}, first[2:]...)},
		{"altered", altered}, {"low order key", zeroKey},
	}
	for _, tt := range tests {
		st := must(p.server.NewState(false))
		got, done, err := p.server.Handshake(st, tt.frame, []byte("r"))
		if err != ErrHandshake || done || string(got) != "r" {
			t.Errorf("%s: %q, %v, %v", tt.name, got, done, err)
		}
		_, done, err = p.server.Handshake(st, first, nil)
		if err != ErrHandshake || done {
			t.Errorf("%s: a second try: %v", tt.name, err)
		}
	}
}

func TestClientRefusesAnotherServer(t *testing.T) {
	p := codecs()["sealed"]
	p.server = must(Sealed(SealedConfig{Private: testKey(8)}))
	p.clientSt = must(p.client.NewState(true))
	p.serverSt = must(p.server.NewState(false))
	first := must(p.client.Greet(p.clientSt, nil))
	_, _, err := p.server.Handshake(p.serverSt, first, nil)
	if err != ErrHandshake {
		t.Errorf("Handshake = %v", err)
	}
}

func TestNothingPassesBeforeTheHandshake(t *testing.T) {
	for _, name := range []string{"peer", "sealed"} {
		p := codecs()[name]
		for _, st := range []*State{nil, must(p.server.NewState(false))} {
			frame := append([]byte{20, 0}, make([]byte, 20)...)
			if _, err := p.server.Open(st, frame, nil); err !=
				ErrHandshake {
				t.Errorf("%s: Open: %v", name, err)
			}
			got, err := p.server.Seal(st, nil, []byte{1}, nil)
			if err != ErrHandshake || got != nil {
				t.Errorf("%s: Seal: %v", name, err)
			}
		}
		if _, _, err := p.server.Handshake(nil, nil, nil); err !=
			ErrHandshake {
			t.Errorf("%s: Handshake without state: %v", name, err)
		}
	}
	server := codecs()["sealed"].server
	if _, err := server.SealClose(nil, nil); err != ErrHandshake {
		t.Errorf("SealClose: %v", err)
	}
	if _, err := server.Greet(nil, nil); err != ErrHandshake {
		t.Errorf("Greet: %v", err)
	}
}

func TestStateNeedsTheKeyOfItsSide(t *testing.T) {
	p := codecs()["sealed"]
	if _, err := p.client.NewState(false); err == nil {
		t.Error("a client's codec accepts")
	}
	if _, err := p.server.NewState(true); err == nil {
		t.Error("a server's codec starts")
	}
}

func TestHandshakeSizeRefusesLargeFrames(t *testing.T) {
	all := codecs()
	tests := []struct {
		name  string
		bytes []byte
		want  int
		err   error
	}{
		{"sealed", []byte{48}, 0, nil},
		{"sealed", []byte{48, 0}, 50, nil},
		{"sealed", []byte{47, 0}, 0, ErrHandshake},
		{"sealed", []byte{0, 1}, 0, ErrHandshake},
		{"sealed", []byte{0, 0}, 0, ErrHandshake},
		{"peer", []byte{16, 1}, 274, nil},
		{"peer", []byte{17, 1}, 0, ErrHandshake},
	}
	for _, tt := range tests {
		c := all[tt.name].server
		got, err := c.HandshakeSize(tt.bytes)
		if got != tt.want || err != tt.err {
			t.Errorf("%s %x: %d, %v", tt.name, tt.bytes, got, err)
		}
	}
}
