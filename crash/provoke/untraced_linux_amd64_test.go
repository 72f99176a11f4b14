package provoke_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"vitrine/crash/bundle"
	"vitrine/crash/probe"
	"vitrine/crash/provoke"
)

// coreLimit lets the processes that a test starts leave a kernel's core of at most so many bytes, or says why it cannot.
func coreLimit(t *testing.T, bytes uint64) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &before); err != nil {
		t.Fatal(err)
	}
	if before.Max < bytes {
		t.Skipf("RLIMIT_CORE cannot be raised above %d", before.Max)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: bytes, Max: before.Max}); err != nil {
		t.Skip("RLIMIT_CORE: ", err)
	}
	t.Cleanup(func() { unix.Setrlimit(unix.RLIMIT_CORE, &before) })
}

// untraced provokes a class in a process that may not be traced.
func untraced(t *testing.T, class string) *provoke.Outcome {
	t.Helper()
	o, err := provoke.Run(t.Context(), provoke.Options{Class: class, Dir: t.TempDir(), Untraced: true, Stderr: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Missing) > 0 || o.Meta == nil {
		t.Fatalf("missing: %q in %+v", o.Missing, o.Meta)
	}
	return o
}

// Where ptrace is refused and nobody asked the kernel for cores, bundles have text, name what is missing, and no exit status changes.
func TestDeathsWithoutTracingLeaveText(t *testing.T) {
	if raceEnabled {
		t.Skip("a victim under the race detector is terabytes wide, and some classes are races")
	}
	coreLimit(t, 0)
	if probe.Run().KernelCore() {
		t.Skip("the kernel hands cores on, whatever their limit")
	}
	for class, want := range map[string]int{"goroutine": 2, "mapwrites": 2, "stack": 2, "oom": 2, "sigsegv": 2, "sigkill": 137, "panic": 0, "hang": 0} {
		t.Run(class, func(t *testing.T) {
			t.Parallel()
			o := untraced(t, class)
			if o.Status != want || !strings.HasPrefix(o.Ptrace, "seize") && !strings.Contains(o.Ptrace, "not permitted") {
				t.Errorf("status %d, ptrace %q; want %d and a refusal", o.Status, o.Ptrace, want)
			}
			if says := o.Meta.Capabilities["ptrace"]; !strings.HasPrefix(says, "no: ") || !strings.Contains(says, "not permitted") {
				t.Errorf("capabilities say of ptrace %q", says)
			}
			if core := o.Meta.Core; core.State != bundle.CoreNone || class != "sigkill" && !strings.Contains(core.Why, "not permitted") {
				t.Errorf("core %+v, want none and why", core)
			}
		})
	}
}

// Where ptrace is refused and the kernel keeps cores, a crash ends in the way that makes it write one, and the bundle names it.
func TestDeathsWithoutTracingLeaveTheKernelsCore(t *testing.T) {
	if raceEnabled {
		t.Skip("a core of a process under the race detector is terabytes wide")
	}
	coreLimit(t, 1<<30)
	can := probe.Run()
	if can.CoreKind != probe.CoreFile || strings.ContainsAny(can.CorePattern, "%/") {
		t.Skipf("core_pattern %q is no plain file name", can.CorePattern)
	}
	for _, class := range []string{"goroutine", "mapwrites", "sigsegv"} {
		t.Run(class, func(t *testing.T) {
			t.Chdir(t.TempDir())
			o := untraced(t, class)
			if o.Status != 134 || !o.Meta.Exit.CoreDumped {
				t.Errorf("status %d, exit %+v; want 134 with a core", o.Status, o.Meta.Exit)
			}
			if says := o.Meta.Capabilities["kernel_core"]; !strings.Contains(says, "status 134") {
				t.Errorf("capabilities say of the kernel's core %q", says)
			}
			_, path, found := strings.Cut(o.Meta.Core.Why, "the kernel wrote its own to ")
			if !found || !strings.Contains(o.Meta.Core.Why, "not permitted") {
				t.Fatalf("the bundle says %q, want why there is no core of ours, and where the kernel's is", o.Meta.Core.Why)
			}
			checkKernelCore(t, path)
		})
	}
}

// checkKernelCore looks whether a file is a core of more than one thread.
func checkKernelCore(t *testing.T, path string) {
	t.Helper()
	core, err := elf.Open(path)
	if err != nil {
		left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
		t.Fatalf("%v, beside %q", err, left)
	}
	defer core.Close()
	if info, err := os.Stat(path); core.Type != elf.ET_CORE || err != nil || info.Size() < 1<<20 {
		t.Errorf("%s: type %v, %+v, %v", path, core.Type, info, err)
	}
}
