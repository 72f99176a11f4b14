package frame

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// naiveEncodeB is the formula of codec B, letter by letter: arrays from 1
// with P[0] = E[0] = 0.
func naiveEncodeB(d []byte, randKey, key byte) []byte {
	p, e := make([]byte, len(d)+1), make([]byte, len(d)+1)
	for n := 1; n <= len(d); n++ {
		p[n] = d[n-1] ^ (p[n-1] + randKey + byte(n))
		e[n] = p[n] ^ (e[n-1] + key + byte(n))
	}
	return e[1:]
}

func naiveDecodeB(enc []byte, randKey, key byte) []byte {
	e := append([]byte{0}, enc...)
	p, d := make([]byte, len(e)), make([]byte, len(e))
	for n := 1; n < len(e); n++ {
		p[n] = e[n] ^ (e[n-1] + key + byte(n))
		d[n] = p[n] ^ (p[n-1] + randKey + byte(n))
	}
	return d[1:]
}

func naiveSum(b []byte) (total byte) {
	for _, v := range b {
		total += v
	}
	return total
}

// chance returns random bytes that are the same in each run.
func chance(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestBFollowsTheFormula(t *testing.T) {
	for n := 1; n < 600; n++ {
		plain := chance(uint64(n), n+2)
		randKey, key, plain := plain[0], plain[1], plain[2:]
		want := naiveEncodeB(plain, randKey, key)
		got := make([]byte, n)
		encodeB(got, plain[0], plain[1:], randKey, key)
		if !bytes.Equal(got, want) {
			t.Fatalf("encode %x with %x %x: %x, want %x",
				plain, randKey, key, got, want)
		}
		if back := naiveDecodeB(got, randKey, key); !bytes.Equal(
			back, plain) {
			t.Fatalf("formulas do not fit each other: %x", back)
		}
		total := decodeB(got, randKey, key)
		if !bytes.Equal(got, plain) || total != naiveSum(plain) {
			t.Fatalf("decode %x with %x %x: %x sum %d, want sum %d",
				want, randKey, key, got, total, naiveSum(plain))
		}
	}
}

// A long stream of ones and a long one of zeros: no lane may reach the
// next, however much was added.
func TestSumsDoNotOverflow(t *testing.T) {
	for _, fill := range []byte{0, 1, 0x7f, 0x80, 0xff} {
		for n := lengthMax - 9; n <= lengthMax; n++ {
			b := bytes.Repeat([]byte{fill}, n)
			want := byte(n) * fill
			if got := sum(b); got != want {
				t.Fatalf("sum of %d x %#x = %d, want %d", n, fill, got, want)
			}
			out := make([]byte, n)
			if got := xorSum(out, b, 0x5a, 0); got != want {
				t.Fatalf("xorSum of %d x %#x = %d, want %d",
					n, fill, got, want)
			}
			if naiveSum(out[:10]) != 10*(fill^0x5a) {
				t.Fatalf("xorSum writes %x", out[:10])
			}
			if got := xorSum(out, out, 0x5a, 0x5a); got != want ||
				!bytes.Equal(out, b) {
				t.Fatalf("xorSum back of %d x %#x = %d", n, fill, got)
			}
			enc := naiveEncodeB(b, 3, 9)
			if got := decodeB(enc, 3, 9); got != want {
				t.Fatalf("decodeB of %d x %#x = %d, want %d",
					n, fill, got, want)
			}
		}
	}
}

// A receiver of codec A needs no key: the frame brings its own.
func TestAReadsFramesOfOtherKeys(t *testing.T) {
	sender := must(ClassicA(ClassicConfig{Key: 9, Key2: 200}))
	reader := must(ClassicA(ClassicConfig{}))
	frame := must(sender.Seal(nil, nil, []byte("hello"), nil))
	got, err := reader.Open(nil, frame, nil)
	if err != nil || string(got) != "hello" {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestClassicAcceptsAnyRandKey(t *testing.T) {
	for r := range 256 {
		cfg := ClassicConfig{RandKey: func() byte { return byte(r) }}
		for _, c := range []Codec{
			must(ClassicA(cfg)), must(ClassicB(cfg))} {
			frame := must(c.Seal(nil, nil, payloadOf(77), nil))
			got, err := c.Open(nil, frame, nil)
			if err != nil || !bytes.Equal(got, payloadOf(77)) {
				t.Fatalf("%v randKey %d: %v", c.Kind(), r, err)
			}
		}
	}
}
