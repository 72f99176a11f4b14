package engine_test

import (
	"context"
	"fmt"
	"net"

	"vitrine/core/engine"
	"vitrine/core/packet"
)

// shout answers each packet in upper case.
type shout struct{}

func (shout) OnClientJoin(*engine.Session)                 {}
func (shout) OnClientLeave(*engine.Session, engine.Reason) {}

func (shout) OnRecv(s *engine.Session, in *packet.Reader) {
	s.Send(s.NewPacket().UTF8(in.UTF8(in.Len()) + "!"))
}

func ExampleServer() {
	srv, err := engine.New(engine.Config{Addr: "127.0.0.1:0"}, shout{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := srv.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop(context.Background())

	client, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	client.Write([]byte{5, 0, 'h', 'e', 'l', 'l', 'o'}) // length, little-endian, and payload
	answer := make([]byte, 8)
	client.Read(answer)
	fmt.Printf("%q\n", answer)
	// Output: "\x06\x00hello!"
}
