package frame

import (
	"fmt"
	"testing"

	"vitrine/core/packet"
)

// sizes of the payloads that benchmarks and allocation tests use.
var sizes = []int{32, 64, 1024}

func BenchmarkSeal(b *testing.B) {
	each(b, func(b *testing.B, p *pair, n int) {
		payload, dst := payloadOf(n), make([]byte, 0, 2048)
		for b.Loop() {
			_, _ = p.client.Seal(p.clientSt, dst, payload, nil)
		}
	})
}

// BenchmarkSealOpen is a frame's whole way, less the network; Open alone
// could not be repeated on a sealed frame.
func BenchmarkSealOpen(b *testing.B) {
	each(b, func(b *testing.B, p *pair, n int) {
		var ext packet.Ext
		payload, dst := payloadOf(n), make([]byte, 0, 2048)
		for b.Loop() {
			dst, _ = p.client.Seal(p.clientSt, dst[:0], payload, nil)
			size, err := p.server.Size(dst)
			if err != nil {
				b.Fatal(err)
			}
			_, err = p.server.Open(p.serverSt, dst[:size], &ext)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPeerExtensions(b *testing.B) {
	p := connected(b)["peer"]
	ext := packet.Ext{Kinds: extKnown}
	payload, dst := payloadOf(32), make([]byte, 0, 2048)
	for b.Loop() {
		dst, _ = p.client.Seal(p.clientSt, dst[:0], payload, &ext)
		_, err := p.server.Open(p.serverSt, dst, &ext)
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHandshake(b *testing.B) {
	for _, name := range []string{"peer", "sealed"} {
		b.Run(name, func(b *testing.B) {
			p := codecs()[name]
			for b.Loop() {
				p.connect(b)
			}
		})
	}
}

func each(b *testing.B, run func(b *testing.B, p *pair, n int)) {
	all := connected(b)
	for _, name := range []string{
		"lan", "peer", "classic-a", "classic-b", "sealed"} {
		p := all[name]
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				run(b, &p, n)
			})
		}
	}
}
