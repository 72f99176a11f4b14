//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vitrine/crash"
)

// The size of a run; see the package comment.
var (
	playFor      = flag.Duration("play", 2*time.Second, "how long bots play")
	botCount     = flag.Int("bots", 100, "bots that play chat, users that are busy")
	attackers    = flag.Int("attackers", 200, "hostile clients at once")
	connects     = flag.Int("connects", 1000, "connects and disconnects")
	windowPairs  = flag.Int("windows", 1, "windows of each kind that alternate")
	largestRatio = flag.Float64("ratio", 0, "largest ratio of medians; 0: reported only")
	listenWithin = flag.Duration("listen-within", patience, "from the start of serve to its listening")
)

// patience is the deadline of whatever should happen at once, on a machine that has other things to do.
const patience = 60 * time.Second

// executable is the program under test, built once by TestMain; crashes is where its crashes leave their bundles unless a test
// says otherwise, since the monitor of a process that is killed outlives the test.
var executable, crashes string

func TestMain(m *testing.M) {
	crash.ServeMonitor()
	if _, ok := os.LookupEnv(stormVariable); ok {
		stormProgram()
	}
	if order, ok := os.LookupEnv(speakerVariable); ok {
		speak(order)
	}
	flag.Parse()
	dir, err := os.MkdirTemp("", "vitrine-e2e-")
	if err == nil {
		executable, crashes = filepath.Join(dir, "vitrine"), filepath.Join(dir, "crash")
		err = build(repository(), executable)
	}
	status := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the program:", err)
	} else {
		status = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

// repository is the root of the module under test.
func repository() string {
	root, err := filepath.Abs("../..")
	if err != nil {
		panic("e2e: " + err.Error())
	}
	return root
}

// build builds the main package in a folder.
func build(folder, output string) error {
	cmd := exec.Command("go", "build", "-o", output, ".")
	cmd.Dir = folder
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}
