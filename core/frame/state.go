package frame

import (
	"errors"
	"fmt"

	"github.com/flynn/noise"
)

// State is what a codec remembers of one session: how far the handshake
// is and, for sealed frames, both directions' keys and counters. It
// belongs to the session's goroutine. A nil *State stands for a codec
// that remembers nothing.
type State struct {
	recvErr   error                 // what Open answers; nil while open
	sendErr   error                 // what Seal answers; nil while open
	send      direction             // sealed
	recv      direction             // sealed
	noise     *noise.HandshakeState // sealed; nil once done
	peer      *PeerConfig           // LAN: what the peer's hello said
	initiator bool
	waiting   bool // Handshake still has something to do
}

// NewState returns what a new session remembers; initiator is the side
// that connected. It is nil, without an error, where Stateless is true:
// such a session has no handshake. An error means that the codec lacks
// the key of this side.
func (c *Codec) NewState(initiator bool) (*State, error) {
	switch c.form {
	case formPeer:
		return newState(initiator), nil
	case formSealed:
		st, err := c.sealed.newState(initiator)
		if err != nil {
			return nil, fmt.Errorf("new sealed state: %w", err)
		}
		return st, nil
	}
	return nil, nil
}

var errNoKey = errors.New("no key for this side")

func newState(initiator bool) *State {
	return &State{
		recvErr: ErrHandshake, sendErr: ErrHandshake,
		initiator: initiator, waiting: true,
	}
}

// Greet appends to dst what this side sends as soon as the session is
// connected: a LAN peer's hello, from both sides; the first handshake
// message of a sealed initiator; nothing from the others. It is called
// once. An error, ErrHandshake, leaves dst as it was.
func (c *Codec) Greet(st *State, dst []byte) ([]byte, error) {
	switch {
	case c.form == formPeer:
		return append(dst, c.hello...), nil
	case c.form == formSealed && st == nil:
		return dst, ErrHandshake
	case c.form == formSealed && st.initiator:
		return c.writeMessage(st, dst)
	}
	return dst, nil
}

// Handshake takes one whole frame that arrived before the handshake was
// done and appends what this side answers to dst. When done is true the
// session is open: its next frames go to Open, and Seal may be used. The
// error is ErrHandshake, whatever was wrong, and ends the session; it
// leaves dst as it was. Sealed: some 100 us of computing at the acceptor.
func (c *Codec) Handshake(
	st *State, frame, dst []byte,
) (reply []byte, done bool, err error) {
	if c.Stateless() || st == nil || !st.waiting {
		return dst, false, ErrHandshake
	}
	st.waiting = false
	if c.form == formPeer {
		reply, err = dst, st.readHello(frame)
	} else {
		reply, err = c.handshakeSealed(st, frame, dst)
	}
	if err != nil {
		return dst, false, err
	}
	return reply, true, nil
}

// HandshakeSize is Size for a session whose handshake is not done: it
// refuses with ErrHandshake, as soon as the length is there, what can be
// no handshake frame, so that a stranger cannot have a large buffer held.
func (c *Codec) HandshakeSize(b []byte) (int, error) {
	n, err := c.Size(b)
	if err != nil || n > c.maxHandshake() {
		return 0, ErrHandshake
	}
	if c.form == formSealed && n != 0 && n != handshakeFrame {
		return 0, ErrHandshake
	}
	return n, nil
}

// maxHandshake is the longest handshake frame; 0 where there is none.
func (c *Codec) maxHandshake() int {
	switch c.form {
	case formPeer:
		return lengthLen + helloLen + nameMax
	case formSealed:
		return handshakeFrame
	}
	return 0
}

// Peer returns what the other server said of itself in its hello; the
// zero value before that, and for codecs without a hello.
func (st *State) Peer() PeerConfig {
	if st == nil || st.peer == nil {
		return PeerConfig{}
	}
	return *st.peer
}

// open ends the handshake: packets go both ways.
func (st *State) open() { st.recvErr, st.sendErr = nil, nil }

// recvError is what Open answers on a session that is not open.
func (st *State) recvError() error {
	if st == nil {
		return ErrHandshake
	}
	return st.recvErr
}

// sendError is what Seal answers on a session that is not open.
func (st *State) sendError() error {
	if st == nil {
		return ErrHandshake
	}
	return st.sendErr
}
