package frame

import (
	"crypto/ecdh"
	"crypto/hmac"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"strings"
	"testing"

	"golang.org/x/crypto/blake2s"
	"golang.org/x/crypto/chacha20poly1305"
)

// plainNoise is a client's Noise NK written down from the specification,
// section 5, with no library of it: the sealed vectors must hold here.
type plainNoise struct {
	h, ck, k []byte
}

func newHash() hash.Hash {
	h, err := blake2s.New256(nil)
	if err != nil {
		panic(err)
	}
	return h
}

func (n *plainNoise) mixHash(b []byte) {
	h := newHash()
	h.Write(n.h)
	h.Write(b)
	n.h = h.Sum(nil)
}

func mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(newHash, key)
	for _, part := range parts {
		m.Write(part)
	}
	return m.Sum(nil)
}

// hkdf is HKDF(ck, input, 2).
func (n *plainNoise) hkdf(input []byte) (first, second []byte) {
	temp := mac(n.ck, input)
	first = mac(temp, []byte{1})
	return first, mac(temp, first, []byte{2})
}

func (n *plainNoise) mixKey(private, public []byte) {
	own := must(ecdh.X25519().NewPrivateKey(private))
	peer := must(ecdh.X25519().NewPublicKey(public))
	n.ck, n.k = n.hkdf(must(own.ECDH(peer)))
}

// tag is ENCRYPT of an empty text with nonce 0, mixed into the hash.
func (n *plainNoise) tag() []byte {
	tag := plainSeal(n.k, 0, nil, n.h)
	n.mixHash(tag)
	return tag
}

func plainSeal(key []byte, counter uint64, text, ad []byte) []byte {
	nonce := make([]byte, 4, 12)
	nonce = binary.LittleEndian.AppendUint64(nonce, counter)
	return must(chacha20poly1305.New(key)).Seal(nil, nonce, text, ad)
}

// session returns both handshake bodies and the key of each direction.
func (n *plainNoise) session(static, client, server []byte) (
	first, second, fromClient, fromServer []byte,
) {
	public := func(private []byte) []byte {
		key := must(ecdh.X25519().NewPrivateKey(private))
		return key.PublicKey().Bytes()
	}
	n.h = newSum("Noise_NK_25519_ChaChaPoly_BLAKE2s")
	n.ck = n.h
	n.mixHash([]byte("vitrine/1"))
	n.mixHash(public(static))

	n.mixHash(public(client)) // -> e, es
	n.mixKey(client, public(static))
	first = append(public(client), n.tag()...)

	n.mixHash(public(server)) // <- e, ee
	n.mixKey(server, public(client))
	second = append(public(server), n.tag()...)

	fromClient, fromServer = n.hkdf(nil)
	return first, second, fromClient, fromServer
}

// newSum hashes a protocol name of more than 32 bytes.
func newSum(name string) []byte {
	h := newHash()
	h.Write([]byte(name))
	return h.Sum(nil)
}

func TestSealedVectorsFollowTheSpecification(t *testing.T) {
	checked := 0
	for _, v := range Vectors() {
		if strings.HasPrefix(v.Name, "sealed-") {
			checkPlain(t, v)
			checked++
		}
	}
	if checked < 3 {
		t.Errorf("%d sealed vectors", checked)
	}
}

// checkPlain compares each frame of v with the one computed here.
func checkPlain(t *testing.T, v Vector) {
	s := must(parseScript(v.text))
	n := &plainNoise{}
	first, second, fromClient, fromServer := n.session(
		unhex(t, s.settings["server-private"]),
		unhex(t, s.settings["client-ephemeral"]),
		unhex(t, s.settings["server-ephemeral"]))
	hello := map[string][]byte{"client": first, "server": second}
	keys := map[string][]byte{"client": fromClient, "server": fromServer}
	counters := map[string]uint64{}
	for _, st := range s.steps {
		var body []byte
		switch st.word {
		case "hello":
			body = hello[st.side]
		case "data", "close":
			body = plainSeal(keys[st.side], counters[st.side],
				plainText(t, st), nil)
			counters[st.side]++
			if s.settings["rekey"] == "2" && counters[st.side]%2 == 0 {
				keys[st.side] = plainSeal(keys[st.side],
					math.MaxUint64, make([]byte, 32), nil)[:32]
			}
		}
		want := st.args[len(st.args)-1]
		if got := hex.EncodeToString(frameOf(body)); got != want {
			t.Errorf("%s line %d: frame %s, computed %s",
				v.Name, st.line, want, got)
		}
	}
}

// plainText is what a step seals: the kind and the packet.
func plainText(t *testing.T, st step) []byte {
	if st.word == "close" {
		return []byte{1}
	}
	return append([]byte{0}, unhex(t, st.args[0])...)
}
