package session_test

import (
	"fmt"

	"vitrine/core/session"
)

func ExampleTable() {
	table, _ := session.NewTable[string](100)
	id, name, _ := table.Open() // the owner's count
	*name = "ann"

	if name, ok := table.Acquire(id); ok { // any goroutine, by id
		fmt.Println("held:", *name)
		table.Release(id)
	}
	if table.Release(id) { // the owner lets go
		table.Free(id)
	}
	_, ok := table.Acquire(id)
	fmt.Println("still there:", ok)
	// Output:
	// held: ann
	// still there: false
}
