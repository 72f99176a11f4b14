package provoke_test

import (
	"testing"

	"vitrine/crash/provoke"
)

// A victim without C says that it cannot fork, and goes on.
func TestForkNeedsC(t *testing.T) {
	v, err := provoke.Start(t.Context(), provoke.Options{Class: "panic", Bare: true})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	class, err := provoke.Find("cgo")
	if err != nil {
		t.Fatal(err)
	}
	if took, err := v.Fork(); (err == nil) != (class.Lacks() == "") {
		t.Errorf("fork took %v, %v", took, err)
	}
	if status, err := v.End(); status != 0 || err != nil {
		t.Errorf("its end: %d, %v", status, err)
	}
}
