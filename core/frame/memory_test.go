package frame

import (
	"bytes"
	"testing"
	"unsafe"
)

// at reads what lies at m, which something else keeps alive.
func (m Memory) at() []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&m.Addr)), m.Size)
}

func TestKeyMemoryHoldsTheKeys(t *testing.T) {
	private := must(GenerateKey())
	c := must(Sealed(SealedConfig{Private: private}))
	if m := c.KeyMemory(); !bytes.Equal(m.at(), private[:]) {
		t.Error("the codec's memory does not hold its private key")
	}
	p := connectSealed(t)
	for i, m := range p.KeyMemory() {
		if m.Size != KeyLen {
			t.Fatalf("direction %d: %d bytes, want %d", i, m.Size, KeyLen)
		}
	}
	ours := p.KeyMemory()
	if bytes.Equal(ours[0].at(), ours[1].at()) {
		t.Error("both directions have one key")
	}
}

func TestRekeyIsTold(t *testing.T) {
	c, st, _ := connectNoise(t, true)
	before := st.KeyMemory()
	key := bytes.Clone(before[0].at())
	told := 0
	st.OnRekey(func() { told++ })
	c.sealed.rekey, st.send.left = 2, 2
	for range 2 {
		must(c.Seal(st, nil, []byte("x"), nil))
	}
	after := st.KeyMemory()
	if told != 1 || after[0] == before[0] || bytes.Equal(after[0].at(), key) {
		t.Errorf("told %d times, from %v to %v; want once, and another key elsewhere", told, before, after)
	}
	if after[1] != before[1] {
		t.Error("the other direction's key moved")
	}
}

func TestWhatIsNotSealedHasNoKeyMemory(t *testing.T) {
	var lan Codec
	var none *State
	if lan.KeyMemory() != (Memory{}) || none.KeyMemory() != [2]Memory{} || newState(true).KeyMemory() != [2]Memory{} {
		t.Error("memory of keys where there are none")
	}
}

func connectSealed(t *testing.T) *State {
	_, st, _ := connectNoise(t, false)
	return st
}
