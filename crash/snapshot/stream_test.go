package snapshot

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Data and zeros of any length come back as they were.
func TestStreamAndExpandKeepBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rounds := 10
	if underRace {
		rounds = 2
	}
	for round := range rounds {
		var packed, want bytes.Buffer
		s, err := newStream(&packed)
		if err != nil {
			t.Fatal(err)
		}
		for range random.IntN(6) {
			b := make([]byte, random.IntN(300_000))
			for i := range b {
				b[i] = byte(random.IntN(1 + random.IntN(255)))
			}
			zeros := []int64{0, 1, 4095, 1 << 20, 5<<20 + 7}[random.IntN(5)]
			if err := s.data(b); err != nil {
				t.Fatal(err)
			}
			s.zeros(zeros)
			want.Write(b)
			want.Write(make([]byte, zeros))
		}
		if err := s.end(); err != nil {
			t.Fatal(err)
		}
		if got := expand(t, packed.Bytes()); !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("round %d: %d bytes came back, want the same %d", round, len(got), want.Len())
		}
	}
}

func expand(t *testing.T, packed []byte) []byte {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "core"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := Expand(f, bytes.NewReader(packed)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Zeros cost four bytes for each 128 KiB, and any decoder reads them.
func TestZeroFramesAreSmall(t *testing.T) {
	n := int64(600<<20 + 12345)
	if underRace {
		n = 16<<20 + 12345
	}
	var packed bytes.Buffer
	if err := writeZeroFrames(&packed, n); err != nil {
		t.Fatal(err)
	}
	if packed.Len() > 24<<10 {
		t.Errorf("%d zeros take %d bytes", n, packed.Len())
	}
	dec, err := zstd.NewReader(struct{ io.Reader }{&packed}, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	if got, err := io.Copy(io.Discard, dec); got != n || err != nil {
		t.Errorf("decoder gives %d bytes, %v; want %d", got, err, n)
	}
}

// A core that breaks off is an error, and what came before it is kept.
func TestExpandReportsBrokenInput(t *testing.T) {
	var packed bytes.Buffer
	s, err := newStream(&packed)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 3<<20)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	if err := s.data(b); err != nil {
		t.Fatal(err)
	}
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	for name, input := range map[string][]byte{
		"cut":     packed.Bytes()[:packed.Len()/2],
		"garbage": []byte("this is no core"),
	} {
		f, err := os.Create(filepath.Join(t.TempDir(), "core"))
		if err != nil {
			t.Fatal(err)
		}
		if err := Expand(f, bytes.NewReader(input)); err == nil {
			t.Errorf("%s: no error", name)
		}
		_ = f.Close()
	}
}
