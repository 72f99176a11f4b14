package bundle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of this file run parts of themselves in processes of their own: the test binary with these in its environment.
const (
	roleKey = "BUNDLE_TEST_ROLE"
	dirKey  = "BUNDLE_TEST_DIR"
	stepKey = "BUNDLE_TEST_STEP"
)

func TestMain(m *testing.M) {
	roles := map[string]func(dir string, step int) error{
		"write": writeAndDie, "hold": holdBundle, "admit": admitMany, "names": beginMany, "fsize": writeTooMuch,
	}
	role, ok := roles[os.Getenv(roleKey)]
	if !ok {
		os.Exit(m.Run())
	}
	step, _ := strconv.Atoi(os.Getenv(stepKey))
	if err := role(os.Getenv(dirKey), step); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child prepares a process that plays a role.
func child(t *testing.T, role, dir string, step int) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	c := exec.Command(exe)
	c.Env = append(os.Environ(), roleKey+"="+role, dirKey+"="+dir, stepKey+"="+strconv.Itoa(step))
	c.Stderr = os.Stderr
	return c
}

// dying is a disk whose process is killed before a step, and in the middle of a write.
type dying struct {
	disk
	left int
}

func (d *dying) step() {
	if d.left--; d.left == 0 {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal is here
	}
}

func (d *dying) mkdir(name string) error                { d.step(); return d.disk.mkdir(name) }
func (d *dying) create(name string) (*os.File, error)   { d.step(); return d.disk.create(name) }
func (d *dying) rename(from, to string) error           { d.step(); return d.disk.rename(from, to) }
func (d *dying) remove(name string) error               { d.step(); return d.disk.remove(name) }
func (d *dying) sync(string) error                      { d.step(); return nil }
func (d *dying) lock(f *os.File) error                  { d.step(); return d.disk.lock(f) }
func (d *dying) lstat(name string) (fs.FileInfo, error) { return d.disk.lstat(name) }

func (d *dying) removeAll(name string) error {
	d.step()
	if files, err := d.disk.names(name); err == nil {
		for _, file := range files { // one by one, as the real one does
			d.disk.remove(name + "/" + file)
			d.step()
		}
	}
	return d.disk.removeAll(name)
}

func (d *dying) write(f *os.File, b []byte) (int, error) {
	d.step()
	n, err := d.disk.write(f, b[:len(b)/2])
	if err != nil {
		return n, err
	}
	d.step()
	more, err := d.disk.write(f, b[n:])
	return n + more, err
}

const killedCore = "core of the process"

const killedText = "panic: it broke\n\ngoroutine 7 [running]:\nmain.(*player).hit(...)\n\t/game/player.go:42 +0x1d\n"

// openToDie opens a store whose limits let only the newest bundle and core stay.
func openToDie(dir string, step int) (*Store, error) {
	s, err := Open(dir, Limits{Bundles: 2, Cores: 1}, func() time.Time { return noon })
	if err != nil {
		return nil, err
	}
	s.disk = unsynced{s.disk}
	if step > 0 {
		s.disk = &dying{s.disk, step}
	}
	return s, nil
}

func beginToDie(dir string) (*Writer, error) {
	s, err := openToDie(dir, 0)
	if err != nil {
		return nil, err
	}
	return s.Begin(ClassGoroutine, printA, 4711, noon)
}

// writeAndDie does everything a monitor does, until it is killed.
func writeAndDie(dir string, step int) error {
	s, err := openToDie(dir, step)
	if err != nil {
		return err
	}
	if _, err := s.Admit(ClassGoroutine, printA); err != nil {
		return err
	}
	w, err := s.Begin(ClassGoroutine, "", 4711, noon)
	if err != nil {
		return err
	}
	m := &Meta{Reason: "panic: it broke", ReasonHow: "text", Where: Where{Worker: 3, Callback: "OnRecv"}, Core: Core{State: CoreWritten, File: coreName}}
	err = errors.Join(w.Write(textName, []byte(killedText)), w.Draft(m), w.Rename(ClassFatal, printA))
	if err != nil {
		return err
	}
	f, err := w.Create(coreName)
	if err != nil {
		return err
	}
	_, err = s.disk.write(f, []byte(killedCore))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if _, err := w.Finish(m); err != nil {
		return err
	}
	if _, err := s.Prune(); err != nil {
		return err
	}
	s.Recover(nil)
	return nil
}

// Whatever the step at which its writer is killed, a bundle comes out whole or marked, and nothing is left beside it.
func TestKillAtEachStepLeavesABundle(t *testing.T) {
	last := 0
	for step := 1; last == 0; step++ {
		dir := filepath.Join(t.TempDir(), "crash")
		s, err := openToDie(dir, 0)
		must(t, err)
		old := []string{
			crashed(t, s, ClassGoroutine, printA, noon.Add(-3*time.Hour), 10),
			crashed(t, s, ClassGoroutine, printA, noon.Add(-2*time.Hour), 10),
		}
		err = child(t, "write", dir, step).Run()
		if err == nil {
			last = step
		} else if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != -1 {
			t.Fatalf("step %d: %v", step, err)
		}
		recovered := s.Recover(nil)
		checkAfterKill(t, s, step, old, recovered)
		must(t, s.Close())
	}
	if last < 50 || last > 400 {
		t.Errorf("the writer had %d steps: they are not counted any more", last)
	}
}

func checkAfterKill(t *testing.T, s *Store, step int, old, recovered []string) {
	t.Helper()
	for name := range strings.Lines(tree(t, s.Dir())) {
		for _, mark := range []string{suffixPartial, suffixGone, prefixBegin, "/" + writerName, "/" + draftName, metaName + suffixPart, coreName + suffixPart, textName + suffixPart} {
			if path, _, _ := strings.Cut(name, " "); strings.Contains(path, mark) {
				t.Errorf("step %d left %s", step, path)
			}
		}
	}
	entries, err := s.List()
	must(t, err)
	fresh := slices.DeleteFunc(entries, func(e Entry) bool { checkBundle(t, e); return slices.Contains(old, e.ID) })
	if len(fresh) > 1 || len(recovered) > len(fresh) || len(recovered) == 1 && recovered[0] != fresh[0].ID {
		t.Fatalf("step %d: bundles %v, recovered %v", step, fresh, recovered)
	}
	if len(fresh) == 1 {
		checkFresh(t, step, fresh[0])
	}
	if again := s.Recover(nil); again != nil {
		t.Errorf("step %d: recovered again: %v", step, again)
	}
	if _, err := s.Admit(ClassGoroutine, printB); err != nil {
		t.Errorf("step %d: admit: %v", step, err)
	}
}

// checkFresh looks at the bundle of the writer that was killed.
func checkFresh(t *testing.T, step int, e Entry) {
	t.Helper()
	m := checkBundle(t, e)
	text, err := e.Read(textName, 1000)
	cut := slices.ContainsFunc(m.Files, func(f File) bool { return f.Name == textName && f.Cut })
	if err != nil || !strings.HasPrefix(killedText, string(text)) || cut != (len(text) < len(killedText)) && !cut {
		t.Errorf("step %d: text %q, cut %v, %v", step, text, cut, err)
	}
	want := CoreNone
	if at := slices.IndexFunc(m.Files, func(f File) bool { return f.Name == coreName }); at >= 0 {
		want = CoreWritten
		if m.Files[at].Cut {
			want = CoreCut
		}
	}
	interrupted := slices.Contains(m.Problems, problemInterrupted)
	if m.Core.State != want || !interrupted && want != CoreWritten || want == CoreWritten && e.Core != int64(len(killedCore)) {
		t.Errorf("step %d: core %+v of %d bytes, files %v", step, m.Core, e.Core, m.Files)
	}
	if len(text) == len(killedText) && (m.Reason != "panic: it broke" || m.Where.Callback == "" && m.Where.Function != "main.(*player).hit") {
		t.Errorf("step %d: the text is there, and the reason is %q in %+v", step, m.Reason, m.Where)
	}
}

// holdBundle begins a bundle, says so, and holds it until it is told to end.
func holdBundle(dir string, _ int) error {
	w, err := beginToDie(dir)
	if err != nil {
		return err
	}
	if err := w.Write(textName, []byte(killedText)); err != nil {
		return err
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	return nil
}

// A bundle whose writer lives is left to it; where there are no locks, its process id says that it lives.
func TestRecoverLeavesLivingWritersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	c := child(t, "hold", dir, 0)
	in, err := c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	s, err := openToDie(dir, 0)
	must(t, err)
	defer s.Close()
	if got := s.Recover(nil); got != nil {
		t.Errorf("recovered %v", got)
	}
	d := breakDisk(s)
	d.fail = func(op, name string) error {
		if op == "lock" {
			return errors.ErrUnsupported
		}
		return nil
	}
	asked := 0
	if got := s.Recover(func(pid int) bool { asked = pid; return true }); got != nil || asked != c.Process.Pid {
		t.Errorf("without locks: recovered %v, asked for %d and not %d", got, asked, c.Process.Pid)
	}
	d.fail = func(string, string) error { return nil }
	must(t, c.Process.Kill())
	c.Wait()
	in.Close()
	got := s.Recover(func(int) bool { return true }) // the id is in use again
	if len(got) != 1 {
		t.Fatalf("recovered %v after its end", got)
	}
	e, err := s.Find(got[0])
	must(t, err)
	m := checkBundle(t, e)
	if m.Reason != "panic: it broke" || m.Goroutine != 7 || m.Where.Function != "main.(*player).hit" || m.Where.Line != 42 || m.Files[0].Cut {
		t.Errorf("%+v", m)
	}
}

// admitMany counts crashes and writes what it is let to.
func admitMany(dir string, _ int) error {
	s, err := Open(dir, Limits{BundlesPerHour: 5}, nil)
	if err != nil {
		return err
	}
	for i := range 50 {
		for _, print := range []string{printA, fmt.Sprintf("%016x", i)} {
			a, err := s.Admit(ClassPanic, print)
			if err != nil {
				return err
			}
			if !a.Bundle {
				continue
			}
			w, err := s.Begin(ClassPanic, print, 1, noon)
			if err != nil {
				return err
			}
			if _, err := w.Finish(&Meta{Fingerprint: print, Before: a.Before}); err != nil {
				return err
			}
		}
	}
	return nil
}

// together runs a role in several processes at once.
func together(t *testing.T, role, dir string, processes int) {
	t.Helper()
	var all sync.WaitGroup
	for range processes {
		c := child(t, role, dir, 0)
		must(t, c.Start())
		all.Go(func() {
			if err := c.Wait(); err != nil {
				t.Errorf("%s: %v", role, err)
			}
		})
	}
	all.Wait()
}

// Processes that share a store share its limits, and no crash goes uncounted.
func TestProcessesShareLimits(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	together(t, "admit", dir, 3)
	s, err := Open(dir, Limits{}, nil)
	must(t, err)
	defer s.Close()
	for i := range 51 {
		print, want := fmt.Sprintf("%016x", i), uint64(3)
		if i == 50 {
			print, want = printA, 150
		}
		if got, err := s.Seen(ClassPanic, print); got.Count != want || err != nil {
			t.Errorf("%s was counted %d times, want %d, %v", print, got.Count, want, err)
		}
	}
	if got := ids(t, s); len(got) != 5 {
		t.Errorf("%d bundles in an hour, want 5: %v", len(got), got)
	}
}

// beginMany writes bundles that differ in nothing, while others are recovered.
func beginMany(dir string, _ int) error {
	s, err := Open(dir, Limits{}, nil)
	if err != nil {
		return err
	}
	s.disk = unsynced{s.disk}
	for range 20 {
		w, err := s.Begin(ClassPanic, printA, 1, noon)
		if err != nil {
			return err
		}
		if err := w.Write(textName, []byte(killedText)); err != nil {
			return err
		}
		if got := s.Recover(nil); got != nil {
			return fmt.Errorf("a living writer lost %v", got)
		}
		if _, err := w.Finish(&Meta{}); err != nil {
			return err
		}
	}
	return nil
}

// Processes that write, sweep and list at once lose nothing to each other.
func TestProcessesWriteSideBySide(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	together(t, "names", dir, 3)
	s, err := Open(dir, Limits{}, nil)
	must(t, err)
	defer s.Close()
	entries, err := s.List()
	must(t, err)
	for _, e := range entries {
		if m := checkBundle(t, e); len(m.Files) != 1 || m.Problems != nil {
			t.Errorf("%s: %+v", e.ID, m)
		}
	}
	if len(entries) != 60 {
		t.Errorf("%d bundles, want 60", len(entries))
	}
}

// writeTooMuch writes past what the system lets a file of this process have.
func writeTooMuch(dir string, _ int) error {
	limit := syscall.Rlimit{Cur: 4096, Max: 4096}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	w, err := beginToDie(dir)
	if err != nil {
		return err
	}
	if err := w.Write(textName, []byte(fixtureText)); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("write: %w", err)
	}
	_, err = w.Finish(&Meta{})
	return err
}

// A write that the system cuts short leaves what it took, marked.
func TestFileThatMetALimitIsCut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	must(t, child(t, "fsize", dir, 0).Run())
	s, err := openToDie(dir, 0)
	must(t, err)
	defer s.Close()
	e, err := s.Find("last")
	must(t, err)
	m := checkBundle(t, e)
	if want := []File{{textName, 4096, true}}; !slices.Equal(m.Files, want) || len(m.Problems) != 1 {
		t.Errorf("files %v, problems %v", m.Files, m.Problems)
	}
}
