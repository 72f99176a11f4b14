package segment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestDirectoryHasOneOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var", "log")
	first, err := Lock(OS(), dir)
	must(t, err)
	_, err = Lock(OS(), dir)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second owner: %v", err)
	}
	if o, err := ReadOwner(OS(), dir); err != nil || !o.Alive || o.PID != os.Getpid() || o.Store != first.Store() {
		t.Errorf("owner %+v, %v", o, err)
	}
	must(t, first.SetRing("/dev/shm/a ring"))
	must(t, first.Close())
	if o, err := ReadOwner(OS(), dir); err != nil || o.Alive || o.Ring != "/dev/shm/a ring" {
		t.Errorf("owner %+v after its end, %v", o, err)
	}
	second, err := Lock(OS(), dir)
	must(t, err)
	defer second.Close()
	if second.Store() != first.Store() || second.Store() == 0 || second.Ring() != "/dev/shm/a ring" {
		t.Errorf("store %x and ring %q, want those of the first owner, %x", second.Store(), second.Ring(), first.Store())
	}
	must(t, second.SetRing(""))
	if o, _ := ReadOwner(OS(), dir); o.Ring != "" || second.Ring() != "" {
		t.Errorf("ring %q stays", o.Ring)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != dirMode {
		t.Errorf("directory has mode %v", info.Mode())
	}
	if info, _ := os.Stat(filepath.Join(dir, lockName)); info.Mode().Perm() != fileMode {
		t.Errorf("LOCK has mode %v", info.Mode())
	}
}

// Those who ask whether the owner lives hold the lock for a moment: an owner waits that out.
func TestAskingDoesNotKeepAnOwnerOut(t *testing.T) {
	dir := t.TempDir()
	l, err := Lock(OS(), dir)
	must(t, err)
	must(t, l.Close())
	f, err := OS().OpenFile(filepath.Join(dir, lockName), os.O_RDONLY, 0)
	must(t, err)
	must(t, f.TryLock(true))
	if _, err := ReadOwner(OS(), dir); err != nil {
		t.Errorf("a second reader: %v", err)
	}
	fsys := &releasing{FS: OS(), held: f, after: 3}
	l, err = Lock(fsys, dir)
	must(t, err)
	must(t, l.Close())
}

// releasing lets a lock go when it was asked for a number of times.
type releasing struct {
	FS
	held  File
	after int
}

type releasingFile struct {
	File
	fs *releasing
}

func (f *releasing) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	return releasingFile{file, f}, err
}

func (f releasingFile) TryLock(shared bool) error {
	if f.fs.after--; f.fs.after == 0 {
		f.fs.held.Close()
	}
	return f.File.TryLock(shared)
}

// refusing is a file system that only reads.
type refusing struct{ FS }

func (refusing) MkdirAll(string, fs.FileMode) error { return nil }
func (f refusing) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if flag&(os.O_RDWR|os.O_WRONLY|os.O_CREATE) != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EROFS}
	}
	return f.FS.OpenFile(name, flag, perm)
}

func TestReadOnlyDirectoryIsAClearError(t *testing.T) {
	dir := t.TempDir()
	_, err := Lock(refusing{OS()}, dir)
	if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), dir) {
		t.Errorf("read-only file system: %v", err)
	}
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, fileMode))
	if _, err := Lock(OS(), file); !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), file) {
		t.Errorf("a file: %v", err)
	}
	if os.Getuid() == 0 {
		return // root may write where it likes
	}
	must(t, os.Chmod(dir, 0o500))
	if _, err := Lock(OS(), dir); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("read-only directory: %v", err)
	}
}

func TestOwnerOfADirectoryWithoutLock(t *testing.T) {
	if _, err := ReadOwner(OS(), t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// The store id outlives LOCK, whatever was in it: the segments have it.
func TestStoreIsFoundInTheSegments(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "torn": "store 11223344", "no number": "store zzzzzzzzzzzzzzzz\n", "zero": "store 0000000000000000\n",
		"binary": strings.Repeat("\x00\xff", 5000),
	} {
		for _, lost := range []string{"", suffixIndex, suffixLog} {
			d := newDesk(t, Config{})
			d.put(10)
			store := d.lock.Store()
			must(t, d.close())
			must(t, os.WriteFile(filepath.Join(d.config.Dir, lockName), []byte(text), fileMode))
			if lost != "" {
				must(t, os.Remove(d.path(1, lost)))
			}
			l, err := Lock(OS(), d.config.Dir)
			must(t, err)
			if l.Store() != store {
				t.Errorf("LOCK %s, %q lost: store %x, want %x", name, lost, l.Store(), store)
			}
			must(t, l.Close())
		}
	}
}

func TestRingThatDoesNotFitIsRefused(t *testing.T) {
	l, err := Lock(OS(), t.TempDir())
	must(t, err)
	defer l.Close()
	must(t, l.SetRing("/dev/shm/ring"))
	for _, path := range []string{strings.Repeat("x", maxRingPath+1), "a\nstore 1", "a\rb"} {
		if err := l.SetRing(path); err == nil || l.Ring() != "/dev/shm/ring" {
			t.Errorf("ring %.20q was taken", path)
		}
	}
}

// A shorter text over a longer one, and a text that a crash left between the two.
func TestLockIsReadAfterACrashInTheMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), lockName)
	must(t, os.WriteFile(path, []byte("store 00000000000000ff\npid 7\nring /new\ning /dev/shm/old\nstore 1111111111111111\nring /old\n"), fileMode))
	o, err := ReadOwner(OS(), filepath.Dir(path))
	must(t, err)
	if want := (Owner{Store: 255, PID: 7, Ring: "/new"}); o != want {
		t.Errorf("%+v, want %+v", o, want)
	}
	must(t, os.WriteFile(path, []byte("store 00000000000000ff\npid 7\nring /dev/shm/hal"), fileMode))
	if o, _ = ReadOwner(OS(), filepath.Dir(path)); o.Ring != "" {
		t.Errorf("half a line was read: %+v", o)
	}
}
