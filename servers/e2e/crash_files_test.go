//go:build linux

package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	capabilities "vitrine/crash/probe"
)

// Whatever happened to a process, its bundle has the control group as it was at the start and as it is; where there can be no core it
// says why.
func TestEveryClassHasItsControlGroupAndItsCoreOrWhyNot(t *testing.T) {
	if capabilities.Cgroup(os.Getpid()).Version == 0 {
		t.Skip("this process is in no control group that is known")
	}
	for class, moments := range map[string][]string{
		"panic": {"now", "start"}, "hang": {"now", "start"}, "goroutine": {"death", "start"}, "sigkill": {"death", "start"}, "exit": {"death", "start"},
	} {
		t.Run(class, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if out, status := runIn(t, s.dir, "crash", "--dir", s.crashes, "test", class); status != 0 {
				t.Fatalf("exit status %d:\n%s", status, out)
			}
			entry, m := s.only()
			text, err := entry.Read("cgroup.json", 1<<20)
			var looks map[string]capabilities.CgroupInfo
			if err != nil || json.Unmarshal(text, &looks) != nil || !slices.Equal(slices.Sorted(maps.Keys(looks)), moments) {
				t.Errorf("cgroup.json %v: %s; want %q", err, text, moments)
			}
			for when, look := range looks {
				if look.Path == "" || look.Version == 0 {
					t.Errorf("%s: %+v", when, look)
				}
			}
			_, err = os.Stat(filepath.Join(entry.Path(), "core.zst"))
			if none := os.IsNotExist(err); none != (m.Core.Why != "") {
				t.Errorf("core %+v, there: %v", m.Core, err)
			}
			out, status := runIn(t, s.dir, "crash", "--dir", s.crashes, "show", "--all")
			if status != 0 || m.Core.Why != "" && !strings.Contains(out, "none: "+m.Core.Why) {
				t.Errorf("show: exit status %d, want why there is no core, %q:\n%s", status, m.Core.Why, out)
			}
		})
	}
}
