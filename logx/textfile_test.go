package logx

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// smallDisk is the real file system whose text files take only so many bytes of each write. Owned by one goroutine
// at a time.
type smallDisk struct {
	segment.FS
	room     int   // bytes; below 0 = no limit
	dirSyncs int   // how often a directory was synced
	dirError error // what syncing it gives
}

func (d *smallDisk) SyncDir(string) error {
	d.dirSyncs++
	return d.dirError
}

func (d *smallDisk) OpenFile(name string, flag int, perm fs.FileMode) (segment.File, error) {
	file, err := d.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &smallFile{file, d}, nil
}

type smallFile struct {
	segment.File
	disk *smallDisk
}

func (f *smallFile) WriteAt(b []byte, at int64) (int, error) {
	if f.disk.room < 0 || f.disk.room >= len(b) {
		return f.File.WriteAt(b, at)
	}
	n, err := f.File.WriteAt(b[:f.disk.room], at)
	if err != nil {
		return n, err
	}
	return n, syscall.ENOSPC
}

// newTextFiles opens the files of a directory without a Log around them.
func newTextFiles(t *testing.T, c Config) *textFiles {
	t.Helper()
	if err := c.fill(); err != nil {
		t.Fatal(err)
	}
	types, err := record.NewTypes()
	if err != nil {
		t.Fatal(err)
	}
	files, _, err := openText(&c, types)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	return files
}

// addLine adds the record that is next.
func addLine(t *textFiles, message string) {
	t.Add(&record.Head{Index: t.next, Level: record.Info}, record.AppendPayload(nil, nil, nil, message, nil))
}

func flushText(t *testing.T, files *textFiles) {
	t.Helper()
	if err := files.Flush(); err != nil {
		t.Fatal(err)
	}
}

// indexesOf reads the indexes of all lines, file by file, and checks that each file is named by its first.
func indexesOf(t *testing.T, dir string) (all []uint64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+textSuffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		first := len(all)
		for line := range bytes.Lines(text) {
			index, err := indexOf(line)
			if err != nil || !bytes.HasSuffix(line, []byte("\n")) {
				t.Fatalf("%s: %v in a line of %d bytes", name, err, len(line))
			}
			all = append(all, index)
		}
		if want := fmt.Sprintf("%020d%s", all[first], textSuffix); filepath.Base(name) != want {
			t.Errorf("%s begins with record %d", name, all[first])
		}
	}
	return all
}

// A disk that was full for a while, at any byte, leaves whole lines in files that are named by their first.
func TestTextRotatesBetweenLinesAlone(t *testing.T) {
	line := len(fmt.Sprintf("[system] [1970-01-01T00:00:00.000000Z / INFO / 1] %s\n", strings.Repeat("m", 1000)))
	for name, room := range map[string]int{"nothing": 0, "a byte": 1, "most of a line": line - 1, "a line": line, "a line and a byte": line + 1} {
		for state, before := range map[string]int{"new": 0, "old": 3} {
			t.Run(name+" into a file that is "+state, func(t *testing.T) { fillTextDisk(t, before, room) })
		}
	}
}

// fillTextDisk writes records, then three to a disk that has room for so many bytes of them, then one more when it has room
// again and the file is old.
func fillTextDisk(t *testing.T, before, room int) {
	disk, dir := &smallDisk{FS: segment.OS(), room: -1}, t.TempDir()
	files := newTextFiles(t, Config{Dir: dir, Format: Text, FS: disk})
	for range before {
		addLine(files, strings.Repeat("m", 1000))
		flushText(t, files)
	}
	for range 3 {
		addLine(files, strings.Repeat("m", 1000))
	}
	for _, disk.room = range []int{room, 0} {
		if files.Flush() == nil {
			t.Fatal("the disk is full, and nothing is said")
		}
		files.begun = files.begun.Add(-2 * files.limits.SegmentAge)
	}
	disk.room = -1
	flushText(t, files)
	addLine(files, "the last")
	flushText(t, files)
	all := indexesOf(t, dir)
	for i, index := range all {
		if index != uint64(i+1) {
			t.Fatalf("line %d has index %d", i+1, index)
		}
	}
	if got, want := files.Written(), uint64(before+4); got != want || len(all) != before+4 {
		t.Errorf("written up to %d, %d lines; want %d", got, len(all), want)
	}
}

// The rotation that a full disk put off comes with the next records.
func TestTextRotatesOnceItsLinesAreWhole(t *testing.T) {
	disk, dir := &smallDisk{FS: segment.OS(), room: -1}, t.TempDir()
	files := newTextFiles(t, Config{Dir: dir, Format: Text, FS: disk, SegmentAge: time.Minute})
	addLine(files, "one")
	disk.room = 10
	if files.Flush() == nil {
		t.Fatal("the disk is full, and nothing is said")
	}
	disk.room = -1
	files.begun = files.begun.Add(-time.Hour)
	flushText(t, files)
	addLine(files, "two")
	flushText(t, files)
	if bases, err := files.bases(); err != nil || len(bases) != 2 || bases[1] != 2 {
		t.Errorf("files %v, want 1 and 2: %v", bases, err)
	}
}

// The name of a new file is durable with the first sync of what is in it, and a sync that makes no name durable costs no more
// than its file.
func TestTextSyncsNamesOnceTheyChange(t *testing.T) {
	disk, dir := &smallDisk{FS: segment.OS(), room: -1}, t.TempDir()
	files := newTextFiles(t, Config{Dir: dir, Format: Text, FS: disk})
	line := func() { addLine(files, "line"); flushText(t, files) }
	reopen := func() { files.Close(); files = newTextFiles(t, Config{Dir: dir, Format: Text, FS: disk}) }
	rotate := func() { files.begun = files.begun.Add(-2 * files.limits.SegmentAge); line() }
	fail := func() { rotate(); disk.dirError = syscall.EIO }
	repair := func() { disk.dirError = nil }
	for _, step := range []struct {
		name     string
		do       func()
		dirSyncs int
	}{
		{"before there is a file", func() {}, 0},
		{"its first file", line, 1},
		{"the same file", line, 1},
		{"a rotation", rotate, 2},
		{"the new file", line, 2},
		{"another owner", reopen, 3},
		{"a rotation whose names cannot be synced", fail, 4},
		{"the next try", repair, 5},
		{"no change", line, 5},
	} {
		step.do()
		if err := files.Sync(); err != disk.dirError {
			t.Errorf("%s: %v, want %v", step.name, err, disk.dirError)
		}
		if disk.dirSyncs != step.dirSyncs {
			t.Errorf("%s: the directory was synced %d times, want %d", step.name, disk.dirSyncs, step.dirSyncs)
		}
	}
}

func TestSyncEachMakesTheNameOfATextFileDurable(t *testing.T) {
	disk := &smallDisk{FS: segment.OS(), room: -1}
	l := open(t, Config{Format: Text, Sync: SyncEach, FS: disk})
	write(t, l, Entry{Message: "durable"})
	closeLog(t, l)
	if disk.dirSyncs == 0 {
		t.Error("the directory was never synced")
	}
}

func TestTextGoesOnAfterARecordWithoutMessage(t *testing.T) {
	dir := t.TempDir()
	for want := range uint64(3) {
		l := open(t, Config{Dir: dir, Format: Text})
		if got := write(t, l, Entry{}); got != want+1 {
			t.Errorf("index %d, want %d", got, want+1)
		}
		closeLog(t, l)
	}
}

func TestIndexOfALine(t *testing.T) {
	for _, test := range []struct {
		line string
		want uint64 // 0 = an error
	}{
		{"[system] [2026-01-01T00:00:00.000000Z / INFO / 5] message\n", 5},
		{"[system] [2026-01-01T00:00:00.000000Z / INFO / 6] session=1\n", 6},
		{"[system] [2026-01-01T00:00:00.000000Z / INFO / 7]\n", 7},
		{"[#63] [2026-01-01T00:00:00.000000Z / INFO / 8] a] [b / INFO / 9] c\n", 8},
		{"[system] [2026-01-01T00:00:00.000000Z / INFO / x] message\n", 0},
		{"[system] [2026-01-01T00:00:00.000000Z / INFO / 5\n", 0},
		{"[system] [5]\n", 0},
		{"[system]\n", 0},
		{"] [\n", 0},
		{"\n", 0},
	} {
		if got, err := indexOf([]byte(test.line)); got != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%q: %d, %v; want %d", test.line, got, err, test.want)
		}
	}
}
