package scrub_test

import (
	"fmt"

	"vitrine/crash/scrub"
)

func Example() {
	s := scrub.New(scrub.Config{Secrets: []string{"open sesame"}, Keys: []string{"pin"}})
	fmt.Println(s.Text("login of ann@example.com from 203.0.113.7 failed: pin=1234", 1024))
	fmt.Println(s.Text(`dial root:hunter2@tcp(db:3306): the door heard "open sesame"`, 1024))
	fmt.Print(string(s.Traceback([]byte("main.(*player).hit(0xc000012, 0x7)\n\t/srv/game/player.go:42 +0x1b\n"))))
	fmt.Println(s.Env([]string{"VITRINE_TOKEN=abc", "GOMAXPROCS=2", "HOME=/root"}))
	// Output:
	// login of [scrubbed] from [scrubbed] failed: pin=[scrubbed]
	// dial root:[scrubbed]@tcp(db:3306): the door heard "[scrubbed]"
	// main.(*player).hit(...)
	// 	/srv/game/player.go:42 +0x1b
	// map[GOMAXPROCS:2 VITRINE_TOKEN:[scrubbed]]
}
