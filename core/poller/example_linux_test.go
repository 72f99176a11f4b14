package poller_test

import (
	"fmt"
	"net"

	"vitrine/core/poller"
)

// One round of an echo worker: a connection, its bytes, its end.
func Example() {
	network := poller.System()
	listener, addr, err := network.Listen(poller.ListenConfig{Addr: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer network.CloseListener(listener)
	p, err := network.NewPoller()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Destroy()
	p.AddListener(listener, 0)

	client, err := net.Dial("tcp", addr.String())
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Write([]byte("hello"))
	client.Close()

	events, buffer := make([]poller.Event, 8), make([]byte, 64)
	fd := -1
	for open := true; open; {
		n, _ := p.Wait(events, -1)
		for _, e := range events[:n] {
			if e.Data == 0 {
				fd, _, _ = p.Accept(listener)
				p.Add(fd, 1)
				continue
			}
			for {
				n, errno := p.Read(fd, buffer)
				if errno != 0 {
					break
				}
				if open = n > 0; !open {
					fmt.Println("end of stream")
					break
				}
				fmt.Printf("%s\n", buffer[:n])
			}
		}
	}
	p.Close(fd)
	// Output:
	// hello
	// end of stream
}
