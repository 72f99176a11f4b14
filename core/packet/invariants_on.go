//go:build invariants

package packet

const invariants = true

// scribbled is what a payload byte holds once nobody may read it any more.
const scribbled = 0xDB

// mustLive panics when the packet was released, or its fields contradict each
// other.
func (p *Packet) mustLive(operation string) {
	if p.failure == released {
		panic("packet: " + operation + " of a released packet")
	}
	if p.start > p.cursor || p.cursor > p.limit {
		panic("packet: " + operation + " of a packet whose cursor is out of bounds")
	}
}

// scribble overwrites the payload.
func (p *Packet) scribble() {
	b := p.Payload()
	for i := range b {
		b[i] = scribbled
	}
}
