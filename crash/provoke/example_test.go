package provoke_test

import (
	"context"
	"fmt"
	"os"

	"vitrine/crash/provoke"
)

func Example() {
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	// The program's main, here TestMain, has called provoke.Serve.
	outcome, err := provoke.Run(context.Background(), provoke.Options{Class: "exit", Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(outcome.Status, outcome.Missing, outcome.Meta.Class, outcome.Meta.Reason)
	// Output: 3 [] exit called exit(3) without an end in good order
}
