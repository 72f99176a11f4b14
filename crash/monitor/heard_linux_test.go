package monitor

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pipe returns both ends of a pipe that does not block.
func pipe(t *testing.T) (read, write int) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

func say(t *testing.T, write int, text string) {
	t.Helper()
	if n, err := unix.Write(write, []byte(text)); n != len(text) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
}

// What one monitor has taken from the pipe the next one finds in the file, and goes on behind it.
func TestWhatWasHeardIsKeptForTheNextMonitor(t *testing.T) {
	read, write := pipe(t)
	dir := t.TempDir()
	buf := make([]byte, 64<<10)
	first, before := listenTo(dir)
	if len(before) != 0 {
		t.Errorf("before the first: %q", before)
	}
	for _, text := range []string{"panic: ", "it broke\n"} {
		say(t, write, text)
		if n, err := first.receive(read, buf); string(buf[:n]) != text || err != nil {
			t.Errorf("received %q, %v, want %q", buf[:n], err, text)
		}
	}
	if n, err := first.receive(read, buf); n > 0 || !errors.Is(err, unix.EAGAIN) {
		t.Errorf("of an empty pipe: %d, %v", n, err)
	}
	if s := (&Setup{RunDir: dir}); !s.heard() || (&Setup{RunDir: t.TempDir()}).heard() {
		t.Error("a death that was heard of is taken for one without a word, or the reverse")
	}
	second, before := listenTo(dir) // the first is dead, without having closed anything
	if string(before) != "panic: it broke\n" {
		t.Errorf("the second finds %q", before)
	}
	say(t, write, "goroutine 1")
	if n, err := second.receive(read, buf); string(buf[:n]) != "goroutine 1" || err != nil {
		t.Errorf("received %q, %v", buf[:n], err)
	}
	if kept, err := os.ReadFile(filepath.Join(dir, heardName)); string(kept) != "panic: it broke\ngoroutine 1" || err != nil {
		t.Errorf("kept %q, %v", kept, err)
	}
}

// Where nothing can be kept the pipe is read all the same, to the last byte.
func TestPipeIsHeardWhereNothingCanBeKept(t *testing.T) {
	small := t.TempDir()
	if err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", small).Run(); err == nil {
		defer exec.Command("umount", "-l", small).Run()
	}
	for name, dir := range map[string]string{"full": small, "missing": filepath.Join(t.TempDir(), "none")} {
		read, write := pipe(t)
		text := strings.Repeat("goroutine 1 [running]:\n", 1000)
		say(t, write, text)
		h, _ := listenTo(dir)
		var got strings.Builder
		buf := make([]byte, 3000)
		for got.Len() < len(text) {
			n, err := h.receive(read, buf)
			if err != nil {
				t.Fatalf("%s: after %d bytes: %v", name, got.Len(), err)
			}
			got.Write(buf[:n])
		}
		if got.String() != text {
			t.Errorf("%s: another text", name)
		}
	}
}
