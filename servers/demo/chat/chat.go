package chat

import (
	"sync"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"
)

// Message types.
const (
	TypeLogin         = 1
	TypeLoginResult   = 2
	TypeMove          = 3
	TypeMoveResult    = 4
	TypeMessage       = 5
	TypeMessageResult = 6
	TypeHeartbeat     = 7
)

// Sizes of the protocol and limits of the server.
const (
	NameUnits    = 20 // UTF-16 units of an id or nickname
	KeyBytes     = 64 // bytes of a session key
	MaxTextBytes = 1024

	IdleTimeout = 40 * time.Second
	PacketRate  = 1000 // packets a second and session, and the burst
)

// Handler is the chat server's handler. One mutex guards the world: what is done under it is a few dozen nanoseconds, and
// packets are sent outside of it.
type Handler struct {
	mu      sync.Mutex
	players map[int64]*player // by account; guarded by mu
	world   world             // guarded by mu
	scratch sync.Pool         // *[]engine.ID
}

// player is one who has logged in. The names are fixed; the place is guarded by the handler's mu.
type player struct {
	session  engine.ID
	account  int64
	id, nick string
	place    place
}

// New returns the handler of a chat server.
func New() *Handler {
	return &Handler{
		players: map[int64]*player{},
		scratch: sync.Pool{New: func() any { return new([]engine.ID) }},
	}
}

// Players returns how many are logged in. Any goroutine.
func (h *Handler) Players() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.players)
}

// OnClientJoin does nothing: a session is nobody until it logs in.
func (h *Handler) OnClientJoin(*engine.Session) {}

// OnClientLeave takes the player off the map.
func (h *Handler) OnClientLeave(s *engine.Session, _ engine.Reason) {
	p, ok := s.Data.(*player)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.world.remove(p)
	if h.players[p.account] == p {
		delete(h.players, p.account)
	}
}

// OnRecv answers one message.
func (h *Handler) OnRecv(s *engine.Session, in *packet.Reader) {
	p, known := s.Data.(*player)
	ok := false
	switch typ := in.U16(); {
	case typ == TypeLogin && !known:
		ok = h.login(s, in)
	case typ == TypeMove && known:
		ok = h.move(s, p, in)
	case typ == TypeMessage && known:
		ok = h.message(s, p, in)
	case typ == TypeHeartbeat:
		ok = whole(in)
	}
	if !ok {
		s.Close(engine.BadPacket)
	}
}

// whole reports whether the packet was read to its end and no further.
func whole(in *packet.Reader) bool { return in.Err() == nil && in.Len() == 0 }

func (h *Handler) login(s *engine.Session, in *packet.Reader) bool {
	p := &player{session: s.ID(), account: in.I64(), id: in.UTF16(NameUnits), nick: in.UTF16(NameUnits)}
	in.Skip(KeyBytes)
	if !whole(in) {
		return false
	}
	h.mu.Lock()
	before := h.players[p.account]
	h.players[p.account] = p
	if before != nil {
		h.world.remove(before)
	}
	h.mu.Unlock()
	if before != nil {
		s.Server().DisconnectWith(before.session, engine.DuplicateLogin)
	}
	s.Data = p
	s.Send(s.NewPacket().U16(TypeLoginResult).U8(1).I64(p.account))
	return true
}

func (h *Handler) move(s *engine.Session, p *player, in *packet.Reader) bool {
	account, x, y := in.I64(), in.U16(), in.U16()
	if !whole(in) || account != p.account || x >= MapSize || y >= MapSize {
		return false
	}
	h.mu.Lock()
	if h.players[account] == p {
		h.world.move(p, x, y)
	}
	h.mu.Unlock()
	s.Send(s.NewPacket().U16(TypeMoveResult).I64(account).U16(x).U16(y))
	return true
}

func (h *Handler) message(s *engine.Session, p *player, in *packet.Reader) bool {
	account, size := in.I64(), in.U16()
	text := in.Bytes(int(size))
	if !whole(in) || account != p.account || size%2 != 0 || size > MaxTextBytes {
		return false
	}
	ids := h.scratch.Get().(*[]engine.ID)
	h.mu.Lock()
	*ids = h.world.around(p, (*ids)[:0])
	h.mu.Unlock()
	if len(*ids) > 0 {
		s.Broadcast(*ids, s.NewPacket().U16(TypeMessageResult).I64(account).
			UTF16Fixed(p.id, NameUnits).UTF16Fixed(p.nick, NameUnits).U16(size).Bytes(text))
	}
	h.scratch.Put(ids)
	return true
}
