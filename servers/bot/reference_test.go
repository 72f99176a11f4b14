package bot

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vitrine/core/frame"
)

// reference is a small server on std net that serves rightly unless a
// fault is set: it proves that the oracle can fail.
type reference struct {
	t     *testing.T
	ln    net.Listener
	codec frame.Codec
	done  sync.WaitGroup

	patience time.Duration // a connection is closed so long after its handshake, which may take 10 times that; 0: never
	greeting bool
	enough   int // requests after which over is called
	over     context.CancelFunc
	served   atomic.Int64
	echo     func(n int, payload []byte) (replies [][]byte, end bool) // n from 0, of one connection
	onReply  func(p *peer, n int) (ended bool)                        // after the nth echo, from 0
	chat     *world

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func startReference(t *testing.T, codec frame.Codec) *reference {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &reference{t: t, ln: ln, codec: codec, conns: make(map[net.Conn]bool)}
	r.echo = func(_ int, p []byte) ([][]byte, bool) { return [][]byte{p}, false }
	t.Cleanup(r.stop)
	return r
}

// play runs bots until the server has had enough of their requests.
func (r *reference) play(cfg Config, enough int) Report {
	r.t.Helper()
	ctx, over := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer over()
	r.enough, r.over = enough, over
	r.serve()
	cfg.Addr, cfg.Seed = r.addr(), 7
	report, err := Run(ctx, cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func (r *reference) count() {
	if r.served.Add(1) == int64(r.enough) {
		r.over()
	}
}

func (r *reference) addr() string { return r.ln.Addr().String() }

func (r *reference) serve() {
	r.done.Go(func() {
		for {
			conn, err := r.ln.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns[conn] = true
			r.mu.Unlock()
			r.done.Go(func() { r.session(conn) })
		}
	})
}

func (r *reference) stop() {
	r.ln.Close()
	r.mu.Lock()
	for conn := range r.conns {
		conn.Close()
	}
	r.mu.Unlock()
	r.done.Wait()
}

// peer is one accepted connection.
type peer struct {
	conn net.Conn
	link *link

	mu      sync.Mutex
	citizen // guarded by world.mu
}

func (r *reference) session(conn net.Conn) {
	defer conn.Close()
	st, err := r.codec.NewState(false)
	if err != nil {
		r.t.Error(err)
		return
	}
	lasts := func(d time.Duration) {
		if r.patience > 0 {
			conn.SetDeadline(time.Now().Add(d))
		}
	}
	lasts(10 * r.patience)
	p := &peer{conn: conn, link: &link{conn: conn, codec: &r.codec, st: st, in: make([]byte, readLen)}}
	if err := p.shake(); err != nil {
		return
	}
	lasts(r.patience)
	if r.chat != nil {
		defer r.chat.leave(p)
		p.link.receive(0, zero, func(b []byte, _ int64) error {
			defer r.count()
			return r.chat.handle(p, b)
		})
		return
	}
	if r.greeting {
		p.send(binary.LittleEndian.AppendUint64(nil, greeting))
	}
	n := 0
	p.link.receive(0, zero, func(b []byte, _ int64) error {
		defer r.count()
		replies, end := r.echo(n, b)
		for _, reply := range replies {
			p.send(reply)
		}
		end = end || r.onReply != nil && r.onReply(p, n)
		n++
		if end {
			return io.EOF
		}
		return nil
	})
}

func zero() int64 { return 0 }

func (p *peer) shake() error {
	if p.link.st == nil {
		return nil
	}
	for {
		reply, done, err := p.link.shakeOnce()
		if err != nil {
			return err
		}
		p.conn.Write(reply)
		if done {
			return nil
		}
	}
}

func (p *peer) send(payload []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, err := p.link.seal(nil, payload)
	if err == nil {
		p.conn.Write(out)
	}
}

// citizen is a peer in the chat world.
type citizen struct {
	account int64
	names   names
	sector  sector
	online  bool
	placed  bool
	first   int // number of its first message, from 1
	last    int // of the one before that which is being said
}

// world serves chat messages 1 to 7 under one lock.
type world struct {
	mu    sync.Mutex
	peers map[*peer]bool
	said  int
	// deliver, when set, decides how often the nth message (from 0)
	// reaches a peer, and may change it. within: inside the 3x3.
	deliver func(n int, from, to *peer, within bool, payload []byte) int
}

func newWorld() *world { return &world{peers: make(map[*peer]bool)} }

func (w *world) leave(p *peer) {
	w.mu.Lock()
	delete(w.peers, p)
	w.mu.Unlock()
}

var errBadPacket = errors.New("bad packet")

func (w *world) handle(p *peer, b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(b) < 2 {
		return errBadPacket
	}
	switch typ := binary.LittleEndian.Uint16(b); {
	case typ == typeLogin && len(b) == loginLen:
		p.account, p.online = int64(binary.LittleEndian.Uint64(b[2:])), true
		copy(p.names[:], b[10:])
		w.peers[p] = true
		p.send(append([]byte{typeLoginResult, 0, 1}, b[2:10]...))
	case typ == typeMove && len(b) == moveLen && p.online:
		x, y := binary.LittleEndian.Uint16(b[10:]), binary.LittleEndian.Uint16(b[12:])
		p.sector, p.placed = sector(y*mapSide+x), true
		result := append([]byte(nil), b...)
		result[0] = typeMoveResult
		p.send(result)
	case typ == typeMessage && p.placed:
		w.say(p, b)
	case typ == typeHeartbeat && len(b) == 2:
	default:
		return errBadPacket
	}
	return nil
}

func (w *world) say(p *peer, b []byte) {
	base := appendHead(nil, typeDelivery, p.account)
	base = append(append(base, p.names[:]...), b[10:]...)
	n := w.said
	w.said++
	defer func() { p.last = w.said }()
	if p.first == 0 {
		p.first = w.said
	}
	for to := range w.peers {
		within := to.placed && to.sector.near(p.sector)
		if w.deliver == nil || !to.placed {
			if within {
				to.send(base)
			}
			continue
		}
		payload := append([]byte(nil), base...)
		for range w.deliver(n, p, to, within, payload) {
			to.send(payload)
		}
	}
}
