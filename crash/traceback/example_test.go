package traceback_test

import (
	"fmt"

	"vitrine/crash/traceback"
)

func ExampleParse() {
	d := traceback.Parse([]byte(`panic: player 42 has hp -1

goroutine 7 [running labels:{"session": "42"}]:
main.(*player).hit(0xc000012, 0x7)
	/srv/game/player.go:42 +0x1b
main.serve()
	/srv/game/main.go:12 +0x3c
created by main.main in goroutine 1
	/srv/game/main.go:9 +0x12

goroutine 1 [chan receive, 3 minutes]:
main.main()
	/srv/game/main.go:10 +0x20
`))
	g := d.Crashed()
	at := g.App()[0]
	fmt.Println(d.Reason)
	fmt.Printf("goroutine %d of %d, session %s, in %s at %s:%d\n", g.ID, len(d.Goroutines), g.Labels["session"], at.Func, at.File, at.Line)
	fmt.Println(traceback.Fingerprint("panic", g.Frames))
	// Output:
	// panic: player 42 has hp -1
	// goroutine 7 of 2, session 42, in main.(*player).hit at /srv/game/player.go:42
	// 7ab57eb8a48625aa
}
