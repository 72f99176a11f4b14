//go:build !linux

package crash_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"vitrine/crash"
	"vitrine/crash/bundle"
)

// victimVariable makes the test program a process that panics; its value is the directory of its bundles.
const victimVariable = "VITRINE_CRASH_VICTIM"

func TestMain(m *testing.M) {
	crash.ServeMonitor()
	if dir, ok := os.LookupEnv(victimVariable); ok {
		if _, err := crash.Start(crash.Config{Dir: dir, RunDir: dir, Name: "victim"}); err != nil {
			os.Exit(99)
		}
		started := make(chan struct{})
		go bystander(started)
		<-started
		panic("player 42 has hp -1")
	}
	os.Exit(m.Run())
}

// bystander is a goroutine beside the one that panics. It ends with the process.
//
//go:noinline
func bystander(started chan<- struct{}) {
	close(started)
	select {}
}

// Where there are no cores the text of a death is kept, with all goroutines.
func TestDeathLeavesItsText(t *testing.T) {
	dir := t.TempDir()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), victimVariable+"="+dir, "GOTRACEBACK=single")
	if err := c.Run(); err == nil {
		t.Fatal("it did not die")
	}
	store, err := bundle.Open(dir, bundle.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) { // sleep: polls
		entries, err := store.List()
		if err != nil || time.Now().After(late) {
			t.Fatalf("no bundle: %v", err)
		}
		if len(entries) == 0 {
			continue
		}
		text, err := entries[0].Read("crash.txt", 1<<20)
		if err != nil || !strings.Contains(string(text), "player 42 has hp -1") {
			t.Errorf("crash.txt: %v\n%s", err, text)
		}
		goroutines, err := entries[0].Read("goroutines.json", 1<<20)
		if err != nil || !strings.Contains(string(text), "bystander") || !strings.Contains(string(goroutines), "bystander") {
			t.Errorf("goroutines.json: %v, want the goroutine beside\n%s\n%s", err, text, goroutines)
		}
		return
	}
}
