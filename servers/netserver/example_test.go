package netserver_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/servers/netserver"
)

// greeter answers every packet.
type greeter struct{}

func (greeter) OnClientJoin(*netserver.Session) {}
func (greeter) OnRecv(s *netserver.Session, in *packet.Reader) {
	s.Send(s.NewPacket().UTF8("hello, " + string(in.Rest())))
}
func (greeter) OnClientLeave(*netserver.Session, netserver.Reason) {}

// user hands on what it is told.
type user chan string

func (user) OnClientJoin(s *netserver.Session)                  { s.Send(s.NewPacket().UTF8("ada")) }
func (u user) OnRecv(_ *netserver.Session, in *packet.Reader)   { u <- string(in.Rest()) }
func (user) OnClientLeave(*netserver.Session, netserver.Reason) {}

func Example() {
	ctx := context.Background()
	folder, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(folder)
	codec, public, err := netserver.SealedFromFile(filepath.Join(folder, "server.key"), 0) // made on the first start
	if err != nil {
		fmt.Println(err)
		return
	}
	srv, err := netserver.New(netserver.Config{Addr: "127.0.0.1:0", Codec: codec}, greeter{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := srv.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop(ctx)

	key, _ := frame.ParseKey(public) // printed by the server, known to its clients
	codec, _ = frame.Sealed(frame.SealedConfig{PublicKey: key})
	told := make(user, 1)
	c, err := netserver.Dial(ctx, netserver.Config{Addr: srv.Addr(), Codec: codec}, told)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(ctx)
	fmt.Println(<-told)
	// Output: hello, ada
}
