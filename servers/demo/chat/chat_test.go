package chat_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"
	"unicode/utf16"

	"vitrine/core/engine"
	"vitrine/servers/demo/chat"
)

// talker is a client that speaks LAN frames by hand.
type talker struct {
	t    *testing.T
	conn net.Conn
}

func serve(t *testing.T) *engine.Server {
	t.Helper()
	srv, err := engine.New(engine.Config{Addr: "127.0.0.1:0", Workers: 2}, chat.New())
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop(context.Background()) })
	return srv
}

func dial(t *testing.T, srv *engine.Server) *talker {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &talker{t, conn}
}

func (c *talker) send(payload []byte) {
	c.t.Helper()
	frame := append(binary.LittleEndian.AppendUint16(nil, uint16(len(payload))), payload...)
	if _, err := c.conn.Write(frame); err != nil {
		c.t.Fatal(err)
	}
}

func (c *talker) expect(want []byte) {
	c.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(c.conn, head[:]); err != nil {
		c.t.Fatal(err)
	}
	got := make([]byte, binary.LittleEndian.Uint16(head[:]))
	if _, err := io.ReadFull(c.conn, got); err != nil {
		c.t.Fatal(err)
	}
	if string(got) != string(want) {
		c.t.Fatalf("got  % x\nwant % x", got, want)
	}
}

// expectEnd waits for the server to close and fails when it says something more.
func (c *talker) expectEnd() {
	c.t.Helper()
	n, err := c.conn.Read(make([]byte, 1))
	var timeout net.Error
	if n != 0 || err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Fatalf("read %d bytes, %v, want the end", n, err)
	}
}

func wide(text string, units int) []byte {
	b := make([]byte, 0, 2*units)
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, make([]byte, 2*units-len(b))...)
}

func join(parts ...[]byte) (whole []byte) {
	for _, p := range parts {
		whole = append(whole, p...)
	}
	return whole
}

func u16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
func i64(v int64) []byte  { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }

func login(account int64) []byte {
	return join(u16(1), i64(account), wide("id", 20), wide("nick", 20), make([]byte, 64))
}

func loginResult(account int64) []byte { return join(u16(2), []byte{1}, i64(account)) }

func move(account int64, x, y uint16) []byte { return join(u16(3), i64(account), u16(x), u16(y)) }

func moved(account int64, x, y uint16) []byte { return join(u16(4), i64(account), u16(x), u16(y)) }

func message(account int64, text string) []byte {
	return join(u16(5), i64(account), u16(uint16(2*len(text))), wide(text, len(text)))
}

func heard(account int64, text string) []byte {
	return join(u16(6), i64(account), wide("id", 20), wide("nick", 20), u16(uint16(2*len(text))), wide(text, len(text)))
}

// enter logs in and moves.
func (c *talker) enter(account int64, x, y uint16) {
	c.t.Helper()
	c.send(login(account))
	c.expect(loginResult(account))
	c.send(move(account, x, y))
	c.expect(moved(account, x, y))
}

func TestMessageReachesTheNineSectorsAroundAndNoOther(t *testing.T) {
	srv := serve(t)
	speaker := dial(t, srv)
	speaker.enter(1, 10, 10)
	near, corner, far := dial(t, srv), dial(t, srv), dial(t, srv)
	near.enter(2, 10, 11)
	corner.enter(3, 9, 9)
	far.enter(4, 12, 10)
	speaker.send(message(1, "hi"))
	for _, c := range []*talker{speaker, near, corner} {
		c.expect(heard(1, "hi"))
	}
	far.send(message(4, "echo")) // would come second if the first had come
	far.expect(heard(4, "echo"))
}

func TestPlayerOfNoSectorIsHeardByNobody(t *testing.T) {
	srv := serve(t)
	c := dial(t, srv)
	c.send(login(1))
	c.expect(loginResult(1))
	c.send(message(1, "void"))
	c.send(move(1, 0, 49))
	c.expect(moved(1, 0, 49)) // and no message before it
}

func TestSecondLoginEndsTheFirstSession(t *testing.T) {
	srv := serve(t)
	first, second := dial(t, srv), dial(t, srv)
	first.enter(7, 1, 1)
	second.send(login(7))
	second.expect(loginResult(7))
	first.expectEnd()
	if got := srv.Status().Reasons["duplicate_login"]; got != 1 {
		t.Errorf("sessions ended with duplicate_login: %d, want 1", got)
	}
	second.send(move(7, 2, 2))
	second.expect(moved(7, 2, 2))
}

func TestBadPacketsEndTheSession(t *testing.T) {
	for _, test := range []struct {
		name    string
		loginAs int64 // 0: not at all
		packet  []byte
	}{
		{"message before login", 0, message(1, "x")},
		{"move before login", 0, move(1, 1, 1)},
		{"truncated login", 0, login(1)[:100]},
		{"login with more than a login", 0, append(login(1), 0)},
		{"second login", 5, login(5)},
		{"move in another's name", 5, move(6, 1, 1)},
		{"move off the map", 5, move(5, 50, 0)},
		{"message in another's name", 5, message(6, "x")},
		{"message of half a character", 5, join(u16(5), i64(5), u16(1), []byte{0})},
		{"message shorter than it says", 5, join(u16(5), i64(5), u16(8), []byte{0, 0})},
		{"message too long", 5, message(5, string(make([]byte, 513)))},
		{"unknown type", 5, u16(99)},
		{"one byte", 5, []byte{5}},
		{"heartbeat with more", 5, append(u16(7), 0)},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := serve(t)
			c := dial(t, srv)
			if test.loginAs != 0 {
				c.send(login(test.loginAs))
				c.expect(loginResult(test.loginAs))
			}
			c.send(test.packet)
			c.expectEnd()
			if err := srv.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := srv.Status().Reasons["bad_packet"]; got != 1 {
				t.Errorf("reasons %v, want one bad_packet", srv.Status().Reasons)
			}
		})
	}
}
