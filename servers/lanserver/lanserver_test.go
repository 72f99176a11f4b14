package lanserver_test

import (
	"net/netip"
	"strings"
	"testing"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/servers/lanserver"
)

func TestNewRefusesEveryAddressOfTheMachine(t *testing.T) {
	any4 := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, test := range []struct {
		cfg  lanserver.Config
		want string // in the error; "" for none
	}{
		{lanserver.Config{Addr: ":6000"}, "every address"},
		{lanserver.Config{Addr: "0.0.0.0:6000"}, "every address"},
		{lanserver.Config{Addr: "[::]:6000"}, "every address"},
		{lanserver.Config{Addr: "[::%lo]:6000"}, "every address"},
		{lanserver.Config{Addr: "[::ffff:0.0.0.0]:6000"}, "every address"},
		{lanserver.Config{Addr: ":6000", AllowFrom: any4}, ""},
		{lanserver.Config{Addr: "[::]:6000", Device: "lo"}, ""},
		{lanserver.Config{Addr: "127.0.0.1:6000"}, ""},
		{lanserver.Config{Addr: "localhost:6000"}, ""},
		{lanserver.Config{Addr: ""}, "addr is empty"},
	} {
		_, err := lanserver.New(test.cfg, handler{})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%q: %v", test.cfg.Addr, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%q: got %v, want an error with %q", test.cfg.Addr, err, test.want)
		}
	}
}

func TestOnlyTheLANCodec(t *testing.T) {
	codec, err := frame.ClassicB(frame.ClassicConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lanserver.New(lanserver.Config{Addr: ":0", Codec: codec}, handler{}); err == nil ||
		!strings.Contains(err.Error(), "classic-b") || !strings.Contains(err.Error(), "every address") {
		t.Errorf("New: %v, want both problems", err)
	}
	_, err = lanserver.Dial(t.Context(), lanserver.ClientConfig{
		Config: lanserver.Config{Codec: codec, QueueLimit: 3}, CallLimit: -1, CallTimeout: -1, BackoffMin: 5, BackoffMax: 4,
	}, handler{})
	for _, want := range []string{"classic-b", "addr", "queue limit", "call limit", "call timeout", "backoff"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Dial: %v, want an error that names %q", err, want)
		}
	}
}

func TestEchoInOrder(t *testing.T) {
	for name, peer := range map[string]bool{"classic peer": false, "peer of ours": true} {
		t.Run(name, func(t *testing.T) {
			var ours, theirs frame.Codec
			if peer {
				ours, theirs = peerCodec(t, "one"), peerCodec(t, "two")
			}
			srv := listen(t, lanserver.Config{Codec: theirs}, handler{recv: echo})
			const packets = 3000
			done := make(chan struct{})
			next := uint32(0)
			c := dial(t, quick(srv, ours), handler{recv: func(_ *lanserver.Session, in *packet.Reader) {
				if got := in.U32(); got != next {
					t.Errorf("got packet %d, want %d", got, next)
				}
				if next++; next == packets {
					close(done)
				}
			}})
			for i := range uint32(packets) {
				for c.Send(c.NewPacket().U32(i)) != nil { // its queue is full
				}
			}
			receive(t, done, "last echo")
		})
	}
}

func TestSendRefusesWhatCannotBeSealed(t *testing.T) {
	codec, err := lanserver.PeerCodec(1, "short", 100)
	if err != nil {
		t.Fatal(err)
	}
	srv := listen(t, lanserver.Config{Codec: codec}, handler{recv: echo})
	c := dial(t, quick(srv, codec), handler{})
	for name, p := range map[string]*packet.Packet{
		"empty": c.NewPacket(), "too long": c.NewPacket().Bytes(make([]byte, 101)), "broken": c.NewPacket().UTF16Fixed("long", 1),
	} {
		if err := c.Send(p); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	hangUp(t, c)
	if got := c.Status().Packets.InUse; got != 0 {
		t.Errorf("%d packets in use, want 0", got)
	}
}
