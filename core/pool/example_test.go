package pool_test

import (
	"fmt"

	"vitrine/core/pool"
)

func Example() {
	packets, err := pool.New(pool.Config{Name: "packets", SlotSize: 256, Capacity: 4096})
	if err != nil {
		fmt.Println(err)
		return
	}
	cache := packets.NewCache() // this goroutine's
	defer cache.Close()

	slot, ok := cache.Get()
	if !ok {
		fmt.Println("every packet is in use")
		return
	}
	n := copy(packets.Bytes(slot), "hello")
	fmt.Printf("%s\n", packets.Bytes(slot)[:n])
	cache.Put(slot)

	cache.Publish()
	s := packets.Stats()
	fmt.Println(s.Allocated, "allocated,", s.InUse, "in use")
	// Output:
	// hello
	// 64 allocated, 0 in use
}
