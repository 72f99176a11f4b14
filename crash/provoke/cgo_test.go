package provoke_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"vitrine/crash/provoke"
)

// The classes that need C are tested by the same tests, built with C, where there is a compiler.
func TestClassesOfC(t *testing.T) {
	class, err := provoke.Find("cgo")
	if err != nil {
		t.Fatal(err)
	}
	if class.Lacks() == "" {
		t.Skip("this test program has C in it: the classes are among the others")
	}
	if _, err := exec.LookPath("gcc"); err != nil || runtime.GOOS != "linux" || testing.Short() {
		t.Skip("no C compiler here, or no time")
	}
	c := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-tags", "crashcgo", "-run", "^TestEveryClassLeavesItsBundle$/^(cgo|cgothread|abort)$", ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
