package engine

import (
	"encoding/binary"
	"testing"
	"time"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/core/simnet"
)

// fillOutput lets one session take all but left of the server's output slots.
func fillOutput(t *testing.T, s *sim, left int) {
	t.Helper()
	w := s.srv.workers[0]
	for free := int(s.srv.Status().Output.Capacity) - left; free > 0; free-- {
		if slot, ok := w.output.Get(); ok {
			s.taken = append(s.taken, slot)
		}
	}
}

func (s *sim) emptyOutput() {
	for _, slot := range s.taken {
		s.srv.workers[0].output.Put(slot)
	}
	s.taken = nil
	s.turn()
}

// A frame that finds no room half way must not reach the peer in part, and what it had taken counts for nothing.
func TestSimNoTornFrameAtTheOutputLimit(t *testing.T) {
	var told []bool
	s := newSim(t, simnet.Config{Window: 1 << 20}, Config{OutputLimitBytes: 1 << 20, Observer: Observer{
		QueueFull: func(s *Session, _ bool) { told = append(told, s.OutputFull()) },
	}})
	var got error
	s.handler.onRecv = func(held *Session, in *packet.Reader) {
		held.Send(held.NewPacket().Bytes(make([]byte, 3000)))
		got = held.Send(held.NewPacket().Bytes(make([]byte, 60_000)))
	}
	c := s.dial()
	s.settle()
	fillOutput(t, s, 10)
	c.Write(lan([]byte("go")))
	s.settle()
	if got != ErrQueueFull {
		t.Errorf("got %v, want ErrQueueFull", got)
	}
	if len(told) != 1 || !told[0] {
		t.Errorf("the hook was told %v, want once that the output of all is full", told)
	}
	for b := c.Read(); len(b) > 0; {
		size := 2 + int(binary.LittleEndian.Uint16(b))
		if size > len(b) {
			t.Fatalf("the stream ends with %d bytes of a frame of %d", len(b), size)
		}
		b = b[size:]
	}
	s.emptyOutput()
	c.Close()
	s.settle()
	s.checkEmpty()
}

func sealedCodec(t testing.TB, maxPayload int) frame.Codec {
	t.Helper()
	private, err := frame.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	public, err := frame.PublicKey(private)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := frame.Sealed(frame.SealedConfig{Private: private, PublicKey: public, MaxPayload: maxPayload})
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// sealedClient is the client's half of a sealed session.
type sealedClient struct {
	*simnet.Conn
	t     testing.TB
	codec frame.Codec
	state *frame.State
	open  bool
	rest  []byte
}

func (s *sim) dialSealed(codec frame.Codec) *sealedClient {
	s.t.Helper()
	c := &sealedClient{Conn: s.dial(), t: s.t, codec: codec}
	state, err := codec.NewState(true)
	if err != nil {
		s.t.Fatal(err)
	}
	c.state = state
	hello, err := codec.Greet(state, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	c.Write(hello)
	return c
}

// read returns the payloads that arrived; err is what the codec said of the frame behind them.
func (c *sealedClient) read() (payloads [][]byte, err error) {
	c.rest = append(c.rest, c.Read()...)
	for {
		size, err := c.codec.Size(c.rest)
		if err != nil || size == 0 || size > len(c.rest) {
			return payloads, err
		}
		whole := c.rest[:size]
		c.rest = c.rest[size:]
		if !c.open {
			if _, c.open, err = c.codec.Handshake(c.state, whole, nil); err != nil {
				return payloads, err
			}
			continue
		}
		payload, err := c.codec.Open(c.state, whole, nil)
		if err != nil {
			return payloads, err
		}
		payloads = append(payloads, payload)
	}
}

func (c *sealedClient) send(payload []byte) {
	sealed, err := c.codec.Seal(c.state, nil, payload, nil)
	if err != nil {
		c.t.Error(err)
	}
	c.Write(sealed)
}

// The close message of a sealed session finds no room like any frame: the session ends once, without it.
func TestSimSealedSessionClosesWithoutRoom(t *testing.T) {
	codec := sealedCodec(t, 0)
	s := newSim(t, simnet.Config{}, Config{Codec: codec, OutputLimitBytes: 1 << 20})
	c := s.dialSealed(codec)
	s.settle()
	if _, err := c.read(); err != nil || !c.open {
		t.Fatalf("handshake: %v, open %v", err, c.open)
	}
	fillOutput(t, s, 0)
	for id := range s.handler.joined {
		s.srv.Disconnect(id)
	}
	s.settle()
	if got := s.reasons(); got[Kicked] != 1 {
		t.Errorf("reasons %v, want one kicked", got)
	}
	s.emptyOutput()
	c.Close()
	s.settle()
	s.checkEmpty()
}

// A frame that was sealed and dropped has used its nonce: nothing after it can be opened, so nothing is sent.
func TestSimSealedStreamIsCutNotCorrupted(t *testing.T) {
	codec := sealedCodec(t, 0)
	s := newSim(t, simnet.Config{Window: 1 << 20}, Config{Codec: codec, OutputLimitBytes: 1 << 20})
	s.handler.onRecv = func(held *Session, in *packet.Reader) {
		held.Send(held.NewPacket().Bytes(make([]byte, 500)))
		held.Send(held.NewPacket().Bytes(make([]byte, 60_000)))
	}
	c := s.dialSealed(codec)
	s.settle()
	c.read()
	fillOutput(t, s, 10)
	c.send([]byte("go"))
	s.settle()
	got, err := c.read()
	if err != nil || len(got) != 1 || len(got[0]) != 500 || len(c.rest) != 0 {
		t.Errorf("got %d packets, %v and %d bytes of another, want one of 500 bytes and nothing else", len(got), err, len(c.rest))
	}
	s.emptyOutput()
	c.Close()
	s.settle()
	s.wait(time.Second, 100*time.Millisecond)
	s.checkEmpty()
}
