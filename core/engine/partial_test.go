package engine

import (
	"bytes"
	"testing"

	"vitrine/core/frame"
	"vitrine/core/simnet"
)

// TestSimPeerSurvivesEveryCut cuts a stream of small frames between two of our own servers, whose longest header is longer
// than a whole small frame: what is held back for a header must not swallow the frames behind it.
func TestSimPeerSurvivesEveryCut(t *testing.T) {
	codec, err := frame.LAN(frame.LANConfig{Peer: &frame.PeerConfig{BootID: 1, Name: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	state, err := codec.NewState(true)
	if err != nil {
		t.Fatal(err)
	}
	hello, err := codec.Greet(state, nil)
	if err != nil {
		t.Fatal(err)
	}
	frames := bytes.Repeat(lan([]byte("small")), 12)
	for cut := range len(hello) + len(frames) {
		s := newSim(t, simnet.Config{}, Config{Codec: codec})
		c := s.dial()
		s.settle()
		stream := append(bytes.Clone(hello), frames...)
		c.Write(stream[:cut])
		s.settle()
		c.Write(stream[cut:])
		s.settle()
		if got := c.Read(); !bytes.Equal(got, stream) {
			t.Fatalf("cut at %d: got %d bytes, want the hello and 12 echoes, %d (%v)", cut, len(got), len(stream), s.reasons())
		}
		c.Close()
		s.settle()
		s.checkEmpty()
	}
}
