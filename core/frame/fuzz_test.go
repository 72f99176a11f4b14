package frame

import (
	"bytes"
	"testing"

	"vitrine/core/packet"
)

// small keeps fuzzed frames short.
const small = 300

// stream feeds the bytes of data to a session in pieces, as a socket
// would, and takes whole frames off the front. cuts says where the pieces
// end. It stops at the first error, as a session does.
func stream(
	t *testing.T, c *Codec, data, cuts []byte,
	take func(frame []byte) error,
) {
	var held []byte
	for i := 0; len(data) > 0; i++ {
		n := 1
		if i < len(cuts) {
			n += int(cuts[i])
		}
		n = min(n, len(data))
		held = append(held, data[:n]...)
		data = data[n:]
		for {
			size, err := c.Size(held)
			checkSteady(t, c, held, size, err)
			if err != nil {
				return
			}
			if size == 0 || size > len(held) {
				break
			}
			if take(exactly(held[:size])) != nil {
				return
			}
			held = held[size:]
		}
	}
}

// exactly copies b into memory that ends where b does: a read beyond it
// panics.
func exactly(b []byte) []byte {
	return append(make([]byte, 0, len(b)), b...)[:len(b):len(b)]
}

// checkSteady wants Size to answer within its bounds, and no prefix of b
// to be answered otherwise than b.
func checkSteady(t *testing.T, c *Codec, b []byte, size int, err error) {
	t.Helper()
	if size < 0 || size > c.MaxFrame() || err != nil && size != 0 {
		t.Fatalf("Size = %d, %v; MaxFrame is %d", size, err, c.MaxFrame())
	}
	if len(b) >= c.HeaderLen() && size == 0 && err == nil {
		t.Fatalf("no answer for %d bytes", len(b))
	}
	for n := range min(len(b), c.HeaderLen()+1) {
		shorter, was := c.Size(exactly(b[:n]))
		if (shorter != 0 || was != nil) && (shorter != size || was != err) {
			t.Fatalf("Size of %d bytes = %d, %v; of %d: %d, %v",
				n, shorter, was, len(b), size, err)
		}
	}
}

// checkPayload wants a payload that lies within its frame's limits.
func checkPayload(t *testing.T, c *Codec, payload []byte, err error) {
	t.Helper()
	if err != nil && payload != nil {
		t.Fatalf("%d bytes beside %v", len(payload), err)
	}
	if err == nil && (len(payload) == 0 || len(payload) > c.MaxPayload()) {
		t.Fatalf("payload of %d bytes", len(payload))
	}
}

// roundTrip seals data, when it fits, and opens it again.
func roundTrip(t *testing.T, p *pair, data []byte, ext packet.Ext) {
	t.Helper()
	frame, err := p.client.Seal(p.clientSt, nil, data, &ext)
	switch {
	case len(data) == 0 && err == ErrBadLength:
		return
	case len(data) > p.client.MaxPayload() && err == ErrTooLong:
		return
	case err != nil:
		t.Fatalf("Seal of %d bytes: %v", len(data), err)
	}
	size, err := p.server.Size(frame)
	checkSteady(t, &p.server, frame, size, err)
	if size != len(frame) || err != nil {
		t.Fatalf("Size = %d, %v; sealed %d", size, err, len(frame))
	}
	var got packet.Ext
	payload, err := p.server.Open(p.serverSt, exactly(frame), &got)
	if err != nil || !bytes.Equal(payload, data) {
		t.Fatalf("Open = %x, %v; sealed %x", payload, err, data)
	}
	if p.client.form == formPeer && got != ext {
		t.Fatalf("ext = %+v, sealed %+v", got, ext)
	}
}

// fuzzPlain is the target of every codec that has no state of its own.
func fuzzPlain(f *testing.F, c Codec) {
	seed(f)
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		stream(t, &c, data, cuts, func(frame []byte) error {
			payload, err := c.Open(nil, frame, nil)
			checkPayload(t, &c, payload, err)
			return err
		})
		p := pair{client: c, server: c}
		roundTrip(t, &p, data, packet.Ext{})
	})
}

// seed adds every frame of every vector, and pairs of them.
func seed(f *testing.F) {
	var all []byte
	for _, v := range Vectors() {
		s := must(parseScript(v.text))
		for _, st := range s.steps {
			last := st.args[len(st.args)-1]
			if _, ok := s.end(st.side); !ok {
				continue
			}
			frame := unhex(f, last)
			f.Add(frame, []byte{1, 0, 3})
			all = append(all, frame...)
		}
		f.Add(all, []byte{4, 200, 7})
		all = all[:0]
	}
	f.Add([]byte{}, []byte{})
}

func FuzzLAN(f *testing.F) {
	fuzzPlain(f, must(LAN(LANConfig{MaxPayload: small})))
}

func FuzzClassicA(f *testing.F) {
	fuzzPlain(f, must(ClassicA(ClassicConfig{MaxPayload: small})))
}

func FuzzClassicB(f *testing.F) {
	fuzzPlain(f, must(ClassicB(ClassicConfig{MaxPayload: small})))
}

// FuzzLANPeer reads hostile frames on an open session; the first bytes
// also make an extension for the way there and back.
func FuzzLANPeer(f *testing.F) {
	seed(f)
	c := must(LAN(LANConfig{
		MaxPayload: small, Peer: &PeerConfig{1, "fuzz"}}))
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		p := pair{client: c, server: c}
		p.connect(t)
		stream(t, &c, data, cuts, func(frame []byte) error {
			var ext packet.Ext
			payload, err := c.Open(p.serverSt, frame, &ext)
			checkPayload(t, &c, payload, err)
			if err == nil {
				roundTrip(t, &p, payload, ext)
			}
			return err
		})
		roundTrip(t, &p, data, packet.Ext{})
	})
}

// FuzzSealed gives an open session hostile frames, then texts that are
// hostile under a good tag, then packets across changes of the key.
func FuzzSealed(f *testing.F) {
	seed(f)
	c := must(Sealed(SealedConfig{
		Private: testKey(7), MaxPayload: small}))
	c.sealed.rekey = 3
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		p := joined(&c)
		for range 5 {
			roundTrip(t, &p, data, packet.Ext{})
		}
		stream(t, &c, data, cuts, func(frame []byte) error {
			payload, err := c.Open(p.serverSt, frame, nil)
			checkPayload(t, &c, payload, err)
			return err
		})
		checkText(t, &c, data)
	})
}

// joined returns an open session with keys that need no handshake.
func joined(c *Codec) pair {
	a, b := newState(true), newState(false)
	for i, d := range []*direction{&a.send, &b.recv, &a.recv, &b.send} {
		must(0, d.use(testKey(byte(1+i/2))))
		d.left = c.sealed.rekey
	}
	a.open()
	b.open()
	return pair{client: *c, server: *c, clientSt: a, serverSt: b}
}

// checkText seals text as it is, kind included, and opens it.
func checkText(t *testing.T, c *Codec, text []byte) {
	t.Helper()
	if len(text) == 0 || len(text) > 1+small {
		return
	}
	p := joined(c)
	d := &p.clientSt.send
	frame := frameOf(d.aead.Seal(nil, d.nonce[:], text, nil))
	payload, err := c.Open(p.serverSt, exactly(frame), nil)
	checkPayload(t, c, payload, err)
	isData := text[0] == kindData && len(text) > 1
	isClose := text[0] == kindClose && len(text) == 1
	if (err == nil) != isData || (err == ErrClosed) != isClose {
		t.Fatalf("text %x: %v", text, err)
	}
}

func sealedEnds(f *testing.F) (client, server Codec) {
	f.Helper()
	private := testKey(7)
	server = must(Sealed(SealedConfig{
		Private: private, MaxPayload: small}))
	client = must(Sealed(SealedConfig{
		PublicKey: must(PublicKey(private)), MaxPayload: small}))
	server.sealed.ephemeral = bytes.Repeat([]byte{8}, KeyLen)
	client.sealed.ephemeral = bytes.Repeat([]byte{9}, KeyLen)
	return client, server
}

// FuzzHandshake gives the bytes to each side that waits for a handshake
// frame: a refusal appends nothing, and only a whole one opens.
func FuzzHandshake(f *testing.F) {
	seed(f)
	client, server := sealedEnds(f)
	peer := must(LAN(LANConfig{Peer: &PeerConfig{1, "fuzz"}}))
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		for _, c := range []*Codec{&server, &client, &peer} {
			st := must(c.NewState(c == &client))
			must(c.Greet(st, nil))
			stream(t, c, data, cuts, func(frame []byte) error {
				return shakeHostile(t, c, st, frame)
			})
		}
	})
}

func shakeHostile(t *testing.T, c *Codec, st *State, frame []byte) error {
	n, sizeErr := c.HandshakeSize(frame)
	whole := bytes.Clone(frame)
	reply, done, err := c.Handshake(st, frame, []byte("kept"))
	if done != (err == nil) || !bytes.HasPrefix(reply, []byte("kept")) {
		t.Fatalf("Handshake = %q, %v, %v", reply, done, err)
	}
	if err != nil && (err != ErrHandshake || len(reply) != 4) {
		t.Fatalf("Handshake = %q, %v", reply, err)
	}
	if done && (sizeErr != nil || n != len(whole)) {
		t.Fatalf("HandshakeSize = %d, %v of a good frame", n, sizeErr)
	}
	return err
}
