package bot

import (
	"bytes"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"vitrine/core/frame"
)

// columns are the counts an oracle is judged by.
type columns struct{ wrong, missing, disconnects uint64 }

func (r Report) columns() columns {
	return columns{r.Wrong, r.Missing, r.ServerDisconnects}
}

func TestEchoOracleFindsNothingWrongWithARightServer(t *testing.T) {
	t.Parallel()
	for name, codec := range codecs(t) {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{8, 13, 600, 9000} {
				r := startReference(t, codec.server)
				r.greeting = true
				got := r.play(Config{
					Codec: codec.client, Bots: 5, Depth: 4, Size: size,
					RampUp: -1, Think: -1, Greeting: true,
				}, 200)
				if !got.OK() || got.Sent != got.Received || got.CloseReasons["bot_finished"] != got.Sessions {
					t.Errorf("size %d: %s", size, got.JSON())
				}
			}
		})
	}
}

type codecPair struct{ server, client frame.Codec }

func codecs(t *testing.T) map[string]codecPair {
	t.Helper()
	private, err := frame.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	public, err := frame.PublicKey(private)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := frame.Sealed(frame.SealedConfig{Private: private})
	if err != nil {
		t.Fatal(err)
	}
	pairs := map[string]codecPair{"sealed": {server: sealed}}
	for _, name := range []string{"lan", "classic", "classic-a", "sealed"} {
		codec, err := ParseCodec(name, frame.FormatKey(public))
		if err != nil {
			t.Fatal(err)
		}
		pair := pairs[name]
		if pair.client = codec; name != "sealed" {
			pair.server = codec
		}
		pairs[name] = pair
	}
	return pairs
}

func TestEchoOracleCountsEachFaultInItsColumn(t *testing.T) {
	t.Parallel()
	const at = 20 // the faulty reply of the connection
	var held []byte
	tests := []struct {
		name  string
		depth int
		fault func(n int, p []byte) (replies [][]byte, end bool)
		want  columns
	}{
		{"none", 4, func(n int, p []byte) ([][]byte, bool) { return [][]byte{p}, false }, columns{}},
		{"drop one", 4, func(n int, p []byte) ([][]byte, bool) {
			if n == at {
				return nil, false
			}
			return [][]byte{p}, false
		}, columns{missing: 1}},
		{"drop one of depth one", 1, func(n int, p []byte) ([][]byte, bool) {
			if n == at {
				return nil, false
			}
			return [][]byte{p}, false
		}, columns{missing: 1}},
		{"swap two", 4, func(n int, p []byte) ([][]byte, bool) {
			switch n {
			case at:
				held = bytes.Clone(p)
				return nil, false
			case at + 1:
				return [][]byte{p, held}, false
			}
			return [][]byte{p}, false
		}, columns{wrong: 1}},
		{"flip a byte of the pattern", 4, func(n int, p []byte) ([][]byte, bool) {
			if n == at {
				p[len(p)-1] ^= 0x10
			}
			return [][]byte{p}, false
		}, columns{wrong: 1}},
		{"flip a byte of the counter", 4, func(n int, p []byte) ([][]byte, bool) {
			if n == at {
				p[7] ^= 0x10
			}
			return [][]byte{p}, false
		}, columns{wrong: 1}},
		{"answer twice", 4, func(n int, p []byte) ([][]byte, bool) {
			if n == at {
				return [][]byte{p, p}, false
			}
			return [][]byte{p}, false
		}, columns{wrong: 1}},
		{"answer twice at the very end", 1, func(n int, p []byte) ([][]byte, bool) {
			if counter := binary.LittleEndian.Uint64(p); n == at {
				late := binary.LittleEndian.AppendUint64(nil, counter-1)
				return [][]byte{p, append(late, p[8:]...)}, false
			}
			return [][]byte{p}, false
		}, columns{wrong: 1}},
		{"cut a reply short", 4, func(n int, p []byte) ([][]byte, bool) {
			if n == at {
				p = p[:5]
			}
			return [][]byte{p}, false
		}, columns{wrong: 1}},
		{"close early", 4, func(n int, p []byte) ([][]byte, bool) {
			return [][]byte{p}, n == at
		}, columns{disconnects: 1}},
	}
	var all sync.WaitGroup
	defer all.Wait()
	for _, test := range tests {
		all.Go(func() {
			t.Run(test.name, func(t *testing.T) {
				r := startReference(t, frame.Codec{})
				armed := true // the fault happens on the first connection
				r.echo = func(n int, p []byte) ([][]byte, bool) {
					if n > at+1 {
						armed = false
					}
					if !armed {
						return [][]byte{p}, false
					}
					replies, end := test.fault(n, p)
					armed = !end
					return replies, end
				}
				got := r.play(Config{Depth: test.depth, Size: 16, Think: -1, Timeout: 2 * time.Second}, 2*at)
				if got.columns() != test.want || got.Received < at {
					t.Errorf("got %+v, want %+v: %s", got.columns(), test.want, got.JSON())
				}
			})
		})
	}
}

func TestEchoWithoutGreetingIsWrongWhereOneIsExpected(t *testing.T) {
	t.Parallel()
	r := startReference(t, frame.Codec{})
	// The first reply is taken for the greeting, and is then missing.
	got := r.play(Config{Greeting: true, Timeout: time.Second}, 1)
	if got.columns() != (columns{wrong: 1, missing: 1}) {
		t.Errorf("want one wrong, one missing: %s", got.JSON())
	}
}
