package frame_test

import (
	"fmt"

	"vitrine/core/frame"
)

// A client reaches a server whose public key it knows; from then on both
// seal and open in the same way.
func Example() {
	private, err := frame.GenerateKey()
	if err != nil {
		panic(err)
	}
	public, err := frame.PublicKey(private)
	if err != nil {
		panic(err)
	}
	server, err := frame.Sealed(frame.SealedConfig{Private: private})
	if err != nil {
		panic(err)
	}
	client, err := frame.Sealed(frame.SealedConfig{PublicKey: public})
	if err != nil {
		panic(err)
	}
	atServer, _ := server.NewState(false)
	atClient, _ := client.NewState(true)

	first, _ := client.Greet(atClient, nil)
	answer, _, _ := server.Handshake(atServer, first, nil)
	_, done, err := client.Handshake(atClient, answer, nil)
	fmt.Println("handshake done:", done, err)

	stream, _ := client.Seal(atClient, nil, []byte("move 11 8"), nil)
	stream, _ = client.SealClose(atClient, stream)
	for len(stream) > 0 {
		n, _ := server.Size(stream)
		payload, err := server.Open(atServer, stream[:n], nil)
		fmt.Printf("%d bytes: %q, %v\n", n, payload, err)
		stream = stream[n:]
	}
	// Output:
	// handshake done: true <nil>
	// 28 bytes: "move 11 8", <nil>
	// 19 bytes: "", frame: closed
}
