//go:build unix

package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Names that are not ours stay, links are not followed, and nothing outside changes.
func TestHostileDirectoryLeadsNowhere(t *testing.T) {
	outside := t.TempDir()
	must(t, os.Mkdir(filepath.Join(outside, "dir"), 0o755))
	for _, name := range []string{"secret", "dir/" + metaName, "dir/" + coreName, "dir/" + writerName, "dir/a.part"} {
		must(t, os.WriteFile(filepath.Join(outside, name), []byte(name), 0o644))
	}
	before := tree(t, outside)
	s, clock := newTestStore(t, Limits{Bundles: 1, Cores: 1})
	id := func(i int) string {
		return makeLabel(ClassPanic, printA, i, noon.Add(-time.Hour), noon).String()
	}
	in := func(name string) string { return filepath.Join(s.Dir(), name) }
	link := func(to, name string) { must(t, os.Symlink(filepath.Join(outside, to), in(name))) }
	for i, suffix := range []string{"", suffixPartial, suffixGone} {
		link("dir", id(i)+suffix)
		link("nowhere", id(10+i)+suffix)
		must(t, os.WriteFile(in(id(20+i)+suffix), nil, fileMode))
		must(t, syscall.Mkfifo(in(id(30+i)+suffix), fileMode))
		must(t, os.Mkdir(in(id(40+i)+suffix), dirMode))
		for _, name := range []string{metaName, coreName, writerName, draftName, textName, "x.part"} {
			link("secret", id(40+i)+suffix+"/"+name)
		}
		must(t, os.Mkdir(in(id(50+i)+suffix), dirMode))
		for _, name := range []string{metaName, coreName, writerName, draftName, textName, "x.part"} {
			must(t, syscall.Mkfifo(in(id(50+i)+suffix+"/"+name), fileMode))
		}
		must(t, os.MkdirAll(in(id(60+i)+suffix+"/"+coreName+"/deep"), dirMode))
		link("dir", id(60+i)+suffix+"/"+metaName)
	}
	link("dir", prefixBegin+"0123456789abcdef")
	link("secret", countsName)
	link("secret", damagedName)
	link("secret", countsName+suffixPart)
	strangers := []string{"notes.txt", "-rf", "..x", "a\nb", "\xff", "2026", ".hidden", id(1) + "-1", id(1) + ".Partial", strings.Repeat("x", 255)}
	for _, name := range strangers {
		must(t, os.WriteFile(in(name), []byte("mine"), fileMode))
	}

	newest := crashed(t, s, ClassPanic, printA, clock.now(), 10)
	for range 2 {
		s.Recover(nil)
		if _, err := s.Prune(); err != nil {
			t.Errorf("prune: %v", err)
		}
		if _, err := s.Admit(ClassGoroutine, printA); err != nil {
			t.Errorf("admit: %v", err)
		}
		if _, err := s.Seen(ClassGoroutine, printA); err != nil {
			t.Errorf("seen: %v", err)
		}
		clock.pass(time.Hour)
	}
	if got := ids(t, s); !slices.Equal(got, []string{newest}) {
		t.Errorf("bundles %q", got)
	}
	if after := tree(t, outside); after != before {
		t.Errorf("outside there is\n%s\nand was\n%s", after, before)
	}
	for _, name := range strangers {
		if text, err := os.ReadFile(in(name)); string(text) != "mine" {
			t.Errorf("%q holds %q, %v", name, text, err)
		}
	}
}

// A link or a pipe in the place of a file is not read, and not waited for.
func TestReadingFollowsNoLink(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("secret"), 0o644))
	s, _ := newTestStore(t, Limits{})
	crashed(t, s, ClassPanic, printA, noon, -1)
	e, err := s.Find("last")
	must(t, err)
	in := func(name string) string { return filepath.Join(e.Path(), name) }
	must(t, os.Symlink(secret, in("link")))
	must(t, os.Symlink(textName, in("inner")))
	must(t, syscall.Mkfifo(in("pipe"), fileMode))
	must(t, os.Mkdir(in("dir"), dirMode))
	for _, name := range []string{"link", "inner", "pipe", "dir"} {
		if b, err := e.Read(name, 100); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for _, name := range []string{"../" + e.ID + "/" + textName, ".", "", ".writer", secret, "missing"} {
		if b, err := e.Read(name, 100); err == nil {
			t.Errorf("%q: %q", name, b)
		}
	}
	if b, err := e.Read(textName, 9999); !errors.Is(err, ErrCorrupt) {
		t.Errorf("one byte too many: %d bytes, %v", len(b), err)
	}
	if _, err := e.Read(textName, 10000); err != nil {
		t.Error(err)
	}
}

// The lock of a store is no link to a file elsewhere.
func TestLockThatIsALinkIsRefused(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Symlink("/dev/null", filepath.Join(dir, lockName)))
	if _, err := Open(dir, Limits{}, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v", err)
	}
}

// Directories have mode 0700 and files 0600 whatever the umask, the umask of nothing at all included.
func TestModesAreStrict(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o277, 0o777} {
		dir := filepath.Join(t.TempDir(), "crash")
		source := filepath.Join(t.TempDir(), "source")
		must(t, os.WriteFile(source, []byte("text"), 0o666))
		old := syscall.Umask(umask)
		err := fillStore(t, dir, source)
		syscall.Umask(old)
		must(t, err)
		checkModes(t, dir)
	}
}

// fillStore makes every kind of file there is.
func fillStore(t *testing.T, dir, source string) error {
	s, err := Open(dir, Limits{}, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	crashed(t, s, ClassPanic, printA, noon, 10)
	w, err := s.Begin(ClassPanic, printA, 1, noon)
	if err != nil {
		return err
	}
	f, err := w.Create("a")
	if err != nil {
		return err
	}
	_, err = s.Admit(ClassPanic, printA)
	return errors.Join(err, f.Close(), w.Copy("b", source, 0), w.Draft(&Meta{}), w.unlock())
}

func checkModes(t *testing.T, dir string) {
	t.Helper()
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		want := os.FileMode(fileMode)
		if info.IsDir() {
			want = os.ModeDir | dirMode
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
		return err
	}))
}

// A directory that is there is tightened when it is ours, and only then.
func TestOpenTightensItsOwnDirectoryAlone(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want os.FileMode
	}{"empty": {"", 0o700}, "a store": {lockName, 0o700}, "somebody's": {"notes.txt", 0o755}} {
		dir := t.TempDir()
		must(t, os.Chmod(dir, 0o755))
		if c.file != "" {
			must(t, os.WriteFile(filepath.Join(dir, c.file), nil, 0o600))
		}
		s, err := Open(dir, Limits{}, nil)
		must(t, err)
		must(t, s.Close())
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != c.want {
			t.Errorf("%s: mode %v, want %v", name, info.Mode().Perm(), c.want)
		}
	}
}
