package blackbox

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The child of these tests is this test binary, started again with childEnv
// set: it writes to a box until its parent kills it.
const childEnv = "BLACKBOX_TEST_CHILD" // "<mode> <path>"

func TestMain(m *testing.M) {
	if mode, path, ok := strings.Cut(os.Getenv(childEnv), " "); ok {
		child(mode, path)
	}
	os.Exit(m.Run())
}

// child never returns.
func child(mode, path string) {
	b, err := Create(path, Header{Boot: 99, Build: "b", Name: "child"})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	beat, _ := b.Loop("worker")
	for i := 1; ; i++ {
		beat.Begin()
		b.Note(line(i))
		b.Metrics([]byte(metrics(i)))
		b.Exclude(uint64(i%4), uintptr(i)<<12, uintptr(i%MaxRangeBytes))
		if mode == "mid" && i == 200 {
			writeHalf(b)
			fmt.Println("ready")
			select {}
		}
		beat.End()
		if i == 200 {
			fmt.Println("ready")
		}
	}
}

// writeHalf leaves a note, the metrics and a range as they are in the middle of
// being written.
func writeHalf(b *Box) {
	copy(b.takeNote().body[:], "half a no")
	h := b.takeHalf()
	h.text.size = 500
	copy(h.body[:], "half of the metr")
	b.image.excluded[1].size.Store(0)
	b.image.excluded[1].addr.Store(12345)
}

func line(i int) string    { return fmt.Sprintf("note %d %s", i, strings.Repeat("n", i%200)) }
func metrics(i int) string { return fmt.Sprintf("%d %s", i, strings.Repeat("m", i%5000)) }

// killed starts a child, kills it with SIGKILL once it says it is ready, and
// returns what its box holds.
func killed(t *testing.T, mode string) *State {
	t.Helper()
	path := filepath.Join(t.TempDir(), "child.box")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+mode+" "+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil || said != "ready\n" {
		t.Fatalf("child said %q: %v", said, err)
	}
	s, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.Boot != 99 || s.PID != cmd.Process.Pid || s.Closed || s.Changed || len(s.Problems) != 0 || len(s.Loops) != 1 {
		t.Errorf("box: %+v", s)
	}
	return s
}

func TestSIGKILLInMidWriteLeavesAllThatWasWrittenBefore(t *testing.T) {
	s := killed(t, "mid")
	if len(s.Notes) != MaxNotes-1 || s.Notes[0] != line(138) || s.Notes[MaxNotes-2] != line(200) {
		t.Errorf("notes: %q", s.Notes)
	}
	if string(s.Metrics) != metrics(200) {
		t.Errorf("metrics: %q", s.Metrics)
	}
	if want := (Loop{"worker", 200, true}); s.Loops[0] != want {
		t.Errorf("loop: %+v, want %+v", s.Loops[0], want)
	}
	if want := []Range{{200 << 12, 200}, {198 << 12, 198}, {199 << 12, 199}}; !slices.Equal(s.Excluded, want) {
		t.Errorf("excluded: %v, want %v", s.Excluded, want)
	}
}

func TestSIGKILLAtAnyPointLosesAtMostWhatWasBeingWritten(t *testing.T) {
	for range 12 {
		s := killed(t, "run")
		turn := int(s.Loops[0].Count) // the last that began
		if len(s.Notes) < MaxNotes-1 {
			t.Errorf("%d notes", len(s.Notes))
		}
		last := turn
		if s.Notes[len(s.Notes)-1] != line(turn) {
			last = turn - 1
		}
		for i, got := range s.Notes {
			if want := line(last - len(s.Notes) + 1 + i); got != want {
				t.Errorf("turn %d, note %d: %q, want %q", turn, i, got, want)
			}
		}
		if got := string(s.Metrics); got != metrics(last) && got != metrics(last-1) {
			t.Errorf("turn %d: metrics %q", turn, got)
		}
		if !s.Loops[0].Busy && (last != turn || string(s.Metrics) != metrics(turn)) {
			t.Errorf("turn %d is over, but its notes or metrics are not there", turn)
		}
		for _, r := range s.Excluded {
			if r.Addr != r.Size<<12 || r.Size+5 < uint64(turn) {
				t.Errorf("turn %d: excluded %+v", turn, r)
			}
		}
		if len(s.Excluded) < 3 {
			t.Errorf("turn %d: excluded %v", turn, s.Excluded)
		}
	}
}

func TestCreateKeepsAnEarlierBoxAndRefusesALivingOne(t *testing.T) {
	b, path := newBox(t)
	b.Note("first")
	if _, err := Create(path, Header{}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("create beside a living box: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Create(path, Header{Name: "second"})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for name, want := range map[string]string{path: "second", path + ".prev": "game-1"} {
		s, err := Read(name)
		if err != nil || s.Name != want {
			t.Errorf("%s: %+v, %v, want name %s", name, s, err, want)
		}
		if info, _ := os.Stat(name); info.Mode() != 0o600 || info.Size() != fileBytes {
			t.Errorf("%s: mode %v, %d bytes", name, info.Mode(), info.Size())
		}
	}
	if s, _ := Read(path + ".prev"); !s.Closed || s.Notes[0] != "first" {
		t.Errorf("the one before: %+v", s)
	}
}

func TestCreateThatFailsLeavesNothingAndNamesThePath(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "none", "a.box")
	if _, err := Create(path, Header{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("no folder: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "target"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(link, Header{}); err == nil {
		t.Error("a link is no error")
	}
	if _, err := os.Stat(filepath.Join(dir, "target")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link's target was made: %v", err)
	}
}

// A loop that is late tells its beat to a closed box, and the file stays as it
// was.
func TestWritesAfterCloseAreLostAndHarmless(t *testing.T) {
	b, path := newBox(t)
	beat, _ := b.Loop("late")
	beat.Begin()
	b.Exclude(1, 4096, 32)
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	beat.End()
	beat.Begin()
	beat.Close()
	b.Note("late")
	b.Metrics([]byte("late"))
	b.Include(1)
	b.Step(0)
	s, err := Read(path)
	if err != nil || !s.Closed || len(s.Loops) != 1 || s.Loops[0].Count != 1 || !s.Loops[0].Busy ||
		len(s.Notes) != 0 || s.Metrics != nil || len(s.Excluded) != 1 || s.Steps[0] != 0 {
		t.Errorf("file: %+v, %v", s, err)
	}
}

func TestOpenWatchesAndCountsStepsButWritesNothingElse(t *testing.T) {
	b, path := newBox(t)
	beat, _ := b.Loop("w")
	other, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	beat.Begin()
	if got := other.Loops(nil); len(got) != 1 || got[0] != (Loop{"w", 1, true}) {
		t.Errorf("loops from beside: %+v", got)
	}
	other.Step(0)
	other.Step(2)
	other.Step(-1)
	if b.Steps(0) != 1 || b.Steps(1) != 0 || b.Steps(2) != 0 || b.Steps(-1) != 0 {
		t.Errorf("steps: %d, %d", b.Steps(0), b.Steps(1))
	}
	other.Note("n")
	other.Metrics([]byte("m"))
	other.Include(0)
	if _, err := other.Loop("x"); err == nil || other.Exclude(0, 1, 1) {
		t.Error("a loop or range entered from beside")
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if s := b.State(); s.Closed || len(s.Notes) != 0 || s.Metrics != nil || s.Refused != 0 {
		t.Errorf("box: %+v", s)
	}
}

// A pipe in the box's place would keep a reader waiting for ever.
func TestReadDoesNotWaitForAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); !errors.Is(err, ErrFormat) {
		t.Errorf("Read: %v", err)
	}
	if _, err := Open(path); !errors.Is(err, ErrFormat) {
		t.Errorf("Open: %v", err)
	}
}
