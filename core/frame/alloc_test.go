package frame

import (
	"bytes"
	"fmt"
	"testing"

	"vitrine/core/packet"
)

func TestSealAndOpenDoNotAllocate(t *testing.T) {
	for name, p := range connected(t) {
		for _, n := range sizes {
			ext := packet.Ext{Kinds: extKnown}
			payload, dst := payloadOf(n), make([]byte, 0, 2048)
			what := fmt.Sprintf("%s %d bytes", name, n)
			none(t, what, func() error {
				var err error
				dst, err = p.client.Seal(
					p.clientSt, dst[:0], payload, &ext)
				if err != nil {
					return err
				}
				size, err := p.server.Size(dst)
				if err != nil {
					return err
				}
				_, err = p.server.Open(p.serverSt, dst[:size], &ext)
				ext.Kinds = extKnown
				return err
			})
		}
	}
}

// A flood of bad frames must not cost memory either.
func TestRefusalsDoNotAllocate(t *testing.T) {
	for name, p := range connected(t) {
		bad := must(p.client.Seal(p.clientSt, nil, payloadOf(40), nil))
		if name == "lan" || name == "peer" {
			bad = bad[:len(bad)-1]
		} else {
			bad[len(bad)-1] ^= 1
		}
		frame := bytes.Clone(bad)
		none(t, name, func() error {
			copy(frame, bad)
			_, err := p.server.Open(p.serverSt, frame, nil)
			if err == nil {
				return fmt.Errorf("a bad frame was opened")
			}
			return nil
		})
	}
}

// none wants f to succeed and to allocate nothing.
func none(t *testing.T, what string, f func() error) {
	t.Helper()
	allocs := testing.AllocsPerRun(200, func() {
		if err := f(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%s: %v allocations", what, allocs)
	}
}
