package crash_test

import (
	"fmt"

	"vitrine/crash"
)

// A goroutine that must not end the process runs its work under Guard.
func ExampleGuard() {
	panicked := crash.Guard(func() {
		players := []string{"alice"}
		fmt.Println(players[len(players)])
	})
	fmt.Println("panicked:", panicked)
	// Output: panicked: true
}
