package lanserver_test

import (
	"context"
	"fmt"

	"vitrine/core/packet"
	"vitrine/servers/lanserver"
)

// accounts answers calls that ask for the name of an account.
type accounts struct{ names map[int64]string }

func (a *accounts) OnClientJoin(*lanserver.Session) {}

func (a *accounts) OnRecv(s *lanserver.Session, in *packet.Reader) {
	name, ok := a.names[in.I64()]
	if !ok {
		lanserver.ReplyError(s, in, "no such account")
		return
	}
	lanserver.Reply(s, in, s.NewPacket().UTF8(name))
}

func (a *accounts) OnClientLeave(*lanserver.Session, lanserver.Reason) {}

// nothing is a handler for a client that only calls.
type nothing struct{}

func (nothing) OnClientJoin(*lanserver.Session)                    {}
func (nothing) OnRecv(*lanserver.Session, *packet.Reader)          {}
func (nothing) OnClientLeave(*lanserver.Session, lanserver.Reason) {}

func Example() {
	ctx := context.Background()
	theirs, _ := lanserver.PeerCodec(1, "accounts", 0)
	srv, err := lanserver.New(lanserver.Config{Addr: "127.0.0.1:0", Codec: theirs}, &accounts{map[int64]string{7: "ada"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := srv.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop(ctx)

	ours, _ := lanserver.PeerCodec(2, "chat", 0)
	c, err := lanserver.Dial(ctx, lanserver.ClientConfig{Config: lanserver.Config{Addr: srv.Addr(), Codec: ours}}, nothing{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(ctx)
	for _, account := range []int64{7, 8} {
		answer, err := c.Call(ctx, c.NewPacket().I64(account))
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s\n", answer.Payload())
		answer.Release()
	}
	// Output:
	// ada
	// call: no such account
}
