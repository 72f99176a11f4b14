package provoke

import (
	"errors"
	"log"
	"os"
	"runtime"

	"vitrine/crash"
)

// What kills is kept out of line, so that a debugger shows it as a frame of its own.

func guarded(*victim) { crash.Guard(hurt) }

func bare(*victim) { hurt() }

//go:noinline
func hurt() { panic(Value) }

func withError(*victim) { hurtError() }

//go:noinline
func hurtError() { panic(errors.New(Value)) }

func nilPointer(*victim) { health(players[-1]) }

//go:noinline
func health(p *player) int { return p.HP }

func nilMap(*victim) { enter(nil) }

//go:noinline
func enter(m map[int]*player) { m[42] = &player{ID: 42} }

// mapWrites never returns: the runtime notices within microseconds.
func mapWrites(*victim) {
	m := map[int]int{}
	for range writers {
		go writeForever(m) // ends with the process
	}
	select {}
}

// writers is how many goroutines write one map.
const writers = 4

//go:noinline
func writeForever(m map[int]int) {
	for {
		m[1]++
	}
}

func overflow(*victim) { recurse(0) }

//go:noinline
func recurse(depth int) int {
	if depth < 0 {
		return 0 // never
	}
	var frame [1 << 10]byte
	frame[depth%len(frame)] = 1
	return recurse(depth+1) + int(frame[0])
}

// outOfMemory never returns where the system limits its memory.
func outOfMemory(*victim) {
	if err := limitMemory(headroom); err != nil {
		log.Fatal(err)
	}
	fill(nil)
}

// headroom is how many more bytes a victim may map that is to run out of memory.
const headroom = 256 << 20

//go:noinline
func fill(held [][]byte) [][]byte {
	for {
		held = append(held, make([]byte, 1<<20))
	}
}

func huge(*victim) { runtime.KeepAlive(allocate(1 << 46)) }

//go:noinline
func allocate(size int) []byte { return make([]byte, size) }

func badAddress(*victim) {
	page, err := unmappedPage()
	if err != nil {
		log.Fatal(err)
	}
	touch(page)
}

//go:noinline
func touch(page []byte) byte { return page[0] }

func exits(*victim) { os.Exit(3) }

func logFatal(*victim) { log.Fatal(Value) }

// stand is a loop that stands in one turn until the input ends.
func (v *victim) stand() {
	beat := v.process.Loop(loopName)
	beat.Begin()
	<-v.released
	beat.End()
}

// loopName is the loop of a victim that hangs.
const loopName = "game/0"
