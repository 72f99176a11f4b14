package simnet_test

import (
	"fmt"
	"net/netip"
	"time"

	"vitrine/core/poller"
	"vitrine/core/simnet"
)

// A greeting takes three milliseconds of nobody's time.
func Example() {
	network := simnet.New(simnet.Config{Seed: 1, MinDelay: 3 * time.Millisecond})
	listener, addr, _ := network.Listen(poller.ListenConfig{Addr: "10.0.0.1:7000"})
	p, _ := network.NewPoller()
	p.AddListener(listener, 0)

	client, _ := network.Dial(netip.MustParseAddrPort("10.0.0.2:5000"), addr)
	network.Advance(3 * time.Millisecond) // The request arrives.
	events := make([]poller.Event, 8)
	n, _ := p.Wait(events, -1)
	fd, peer, _ := p.Accept(listener)
	fmt.Println(n, "event,", peer)

	p.Write(fd, []byte("welcome"))
	network.Advance(2 * time.Millisecond)
	fmt.Printf("%q\n", client.Read())
	network.Advance(1 * time.Millisecond)
	fmt.Printf("%q\n", client.Read())
	// Output:
	// 1 event, 10.0.0.2:5000
	// ""
	// "welcome"
}
