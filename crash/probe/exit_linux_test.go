package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// child is a shell that runs a script once it is let go, and a pidfd of it.
type child struct {
	*exec.Cmd
	stdin io.Closer
	pidfd int
}

func start(t *testing.T, script string) *child {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "read line; "+script)
	cmd.Dir = t.TempDir() // where a core goes
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	c := &child{Cmd: cmd, stdin: stdin, pidfd: openPidfd(t, cmd.Process.Pid)}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return c
}

func openPidfd(t *testing.T, pid int) int {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Skipf("pidfd_open: %v", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// finish lets the child go and collects it; what wait(2) says of it.
func (c *child) finish() syscall.WaitStatus {
	c.stdin.Close()
	c.Wait()
	return c.ProcessState.Sys().(syscall.WaitStatus)
}

func TestExitTellsWhatWaitTells(t *testing.T) {
	for _, script := range []string{
		"exit 0", "exit 3", "exit 255", "kill -KILL $$", "kill -TERM $$",
		"ulimit -c unlimited; kill -SEGV $$", "ulimit -c 0; kill -SEGV $$", "ulimit -c unlimited; exit 7",
	} {
		t.Run(script, func(t *testing.T) {
			c := start(t, script)
			want := c.finish()
			got, err := Exit(c.pidfd, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if !Run().PidfdInfo {
				if got.Known || got.Why == "" {
					t.Errorf("a kernel that does not tell: %+v", got)
				}
				return
			}
			told := ExitInfo{Known: true, Signal: syscall.Signal(max(want.Signal(), 0)), Code: max(want.ExitStatus(), 0), Core: want.CoreDump()}
			if got != told {
				t.Errorf("got %+v, want %+v (core pattern %q)", got, told, Run().CorePattern)
			}
		})
	}
}

// A server is not the monitor's child: here, a child of the child.
func TestExitTellsOfAProcessThatIsNotAChild(t *testing.T) {
	// A shell gives what it starts behind its back an empty input, unless told.
	cmd := exec.Command("/bin/sh", "-c", `exec 3<&0; sh -c 'echo $$; read line; exit 3' <&3 & wait`)
	stdin, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer cmd.Wait()
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the child said %q", line)
	}
	fd := openPidfd(t, pid)
	stdin.Close()
	got, err := Exit(fd, 5*time.Second)
	if err != nil || Run().PidfdInfo && got != (ExitInfo{Known: true, Code: 3}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestExitOfARunningProcessIsAnError(t *testing.T) {
	c := start(t, "exit 0")
	for _, wait := range []time.Duration{-time.Second, 0, 5 * time.Millisecond} {
		if got, err := Exit(c.pidfd, wait); !errors.Is(err, ErrRunning) || got.Known || got.Why == "" {
			t.Errorf("wait %v: %+v, %v", wait, got, err)
		}
	}
}

// Nobody has collected the process: its status is its parent's secret until the
// deadline, and told as soon as it was.
func TestExitWaitsForTheParentAndNotForEver(t *testing.T) {
	c := start(t, "exit 3")
	c.stdin.Close()
	got, err := Exit(c.pidfd, 5*time.Millisecond)
	for errors.Is(err, ErrRunning) { // the shell takes its time to end
		got, err = Exit(c.pidfd, 5*time.Millisecond)
	}
	if err != nil || got.Known || got.Why == "" {
		t.Fatalf("before: %+v, %v", got, err)
	}
	type answer struct {
		info ExitInfo
		err  error
	}
	told := make(chan answer, 1)
	// The goroutine ends with Exit's deadline at the latest.
	go func() {
		info, err := Exit(c.pidfd, 5*time.Second)
		told <- answer{info, err}
	}()
	c.Wait()
	if a := <-told; a.err != nil || Run().PidfdInfo && a.info != (ExitInfo{Known: true, Code: 3}) {
		t.Errorf("after: %+v", a)
	}
}

// Kernels that are older, or answer oddly, make the status unknown, never wrong.
func TestOtherKernelsMakeTheStatusUnknown(t *testing.T) {
	c := start(t, "kill -KILL $$")
	c.finish()
	cases := []struct {
		name string
		info func(int, *unix.PidfdInfo) error
		why  string
	}{
		{"before 6.13", func(int, *unix.PidfdInfo) error { return unix.ENOTTY }, whyNoInfo},
		{"before pidfds had calls", func(int, *unix.PidfdInfo) error { return unix.EINVAL }, whyNoInfo},
		{"6.13, collected", func(int, *unix.PidfdInfo) error { return unix.ESRCH }, whyForgotten},
		{"6.13, not collected", func(_ int, i *unix.PidfdInfo) error {
			i.Mask, i.Exit_code = unix.PIDFD_INFO_PID, 9
			return nil
		}, whyNotCollected},
	}
	for _, k := range cases {
		got, err := exits{k.info, unix.Poll}.wait(c.pidfd, time.Now().Add(5*time.Millisecond))
		if err != nil || got.Known || !strings.HasPrefix(got.Why, k.why) || got.Signal != 0 || got.Code != 0 || got.Core {
			t.Errorf("%s: %+v, %v", k.name, got, err)
		}
	}
}

func TestPollErrorsAreTold(t *testing.T) {
	c := start(t, "exit 0")
	want := c.finish()
	interrupts := 3
	interrupted := func(fds []unix.PollFd, ms int) (int, error) {
		if interrupts--; interrupts >= 0 {
			return 0, unix.EINTR
		}
		return unix.Poll(fds, ms)
	}
	if got, err := (exits{unix.IoctlPidfdInfo, interrupted}).wait(c.pidfd, time.Now().Add(time.Second)); err != nil || got.Code != want.ExitStatus() {
		t.Errorf("interrupted: %+v, %v", got, err)
	}
	broken := func([]unix.PollFd, int) (int, error) { return 0, unix.ENOMEM }
	if got, err := (exits{unix.IoctlPidfdInfo, broken}).wait(c.pidfd, time.Now().Add(time.Second)); !errors.Is(err, unix.ENOMEM) || got.Known {
		t.Errorf("broken: %+v, %v", got, err)
	}
	for _, fd := range []int{-1, 1 << 20} {
		if got, err := Exit(fd, time.Second); !errors.Is(err, unix.EBADF) || got.Known {
			t.Errorf("descriptor %d: %+v, %v", fd, got, err)
		}
	}
}

func TestExitInfoOfAStatus(t *testing.T) {
	cases := []struct {
		status uint32
		dumped bool
		want   ExitInfo
	}{
		{0, false, ExitInfo{Known: true}},
		{0x0300, false, ExitInfo{Known: true, Code: 3}},
		{0x0300, true, ExitInfo{Known: true, Code: 3}},
		{9, false, ExitInfo{Known: true, Signal: syscall.SIGKILL}},
		{0x86, false, ExitInfo{Known: true, Signal: syscall.SIGABRT, Core: true}},
		{11, true, ExitInfo{Known: true, Signal: syscall.SIGSEGV, Core: true}},
		{0xffff0200, false, ExitInfo{Known: true, Code: 2}},
	}
	for _, c := range cases {
		if got := exitInfo(c.status, c.dumped); got != c.want {
			t.Errorf("%#x: %+v, want %+v", c.status, got, c.want)
		}
	}
}

// The kernel kills a process in a group of 16 MiB, and both the group and the
// exit tell.
func TestAKillForMemoryIsSeen(t *testing.T) {
	c := start(t, "exec tail /dev/zero")
	group := smallGroup(t, 16<<20)
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(fmt.Sprint(c.Process.Pid)), 0o644); err != nil {
		t.Skip(err)
	}
	before := Cgroup(c.Process.Pid)
	if before.MemoryMax != 16<<20 || before.MemoryCurrent < 0 {
		t.Fatalf("before: %+v", before)
	}
	ended := c.finish()
	after := before.Again()
	if d := after.Diff(before); !d.Known || d.OOMKill != 1 || !d.OOMKilled() || ended.Signal() != syscall.SIGKILL {
		t.Errorf("ended %v, %+v: before %+v, after %+v", ended, d, before, after)
	}
	if got, err := Exit(c.pidfd, time.Second); err != nil || Run().PidfdInfo && got.Signal != syscall.SIGKILL {
		t.Errorf("exit: %+v, %v", got, err)
	}
}

// smallGroup makes a group below the one that counts this process's memory, and
// skips the test where it may not.
func smallGroup(t *testing.T, limit int64) string {
	own := thisHost().groups(os.Getpid()).memory
	dir := filepath.Join("/", own.dir, fmt.Sprint("vitrine-test-", os.Getpid()))
	if own.dir == "" || os.Mkdir(dir, 0o755) != nil {
		t.Skip("no memory group may be made here")
	}
	t.Cleanup(func() { os.Remove(dir) })
	names := []string{"memory.max", "memory.swap.max"}
	limits := []int64{limit, 0}
	if own.version == 1 {
		names, limits = []string{"memory.limit_in_bytes", "memory.memsw.limit_in_bytes"}, []int64{limit, limit}
	}
	for i, name := range names {
		err := os.WriteFile(filepath.Join(dir, name), []byte(fmt.Sprint(limits[i])), 0o644)
		if err != nil && i == 0 {
			t.Skip(err)
		}
	}
	return dir
}
