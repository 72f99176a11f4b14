package packet_test

import (
	"fmt"

	"vitrine/core/packet"
)

// A chat message is written once and read back as a handler would.
func Example() {
	pool, err := packet.NewPool(packet.Config{Capacity: 1024})
	if err != nil {
		fmt.Println(err)
		return
	}
	cache := pool.NewCache()
	defer cache.Close()

	text := "안녕"
	p := cache.New().U16(5).I64(21055).U16(uint16(2 * 2)).UTF16(text)
	if p.Err() != nil {
		fmt.Println(p.Err())
	}
	fmt.Printf("% x\n", p.Payload())

	in := packet.NewReader(p.Payload())
	typ, account := in.U16(), in.I64()
	units := int(in.U16()) / 2
	fmt.Println(typ, account, in.UTF16(units), in.Err())

	in.U32()
	fmt.Println(in.Err())
	cache.Release(p)
	// Output:
	// 05 00 3f 52 00 00 00 00 00 00 04 00 48 c5 55 b1
	// 5 21055 안녕 <nil>
	// packet: read past the end
}
