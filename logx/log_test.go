package logx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vitrine/logx/query"
	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// patience bounds what a test waits for; only a hanging one ever waits so long.
const patience = 20 * time.Second

func open(t testing.TB, c Config) *Log {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.RingDir == "" {
		c.RingDir = t.TempDir()
	}
	if c.Complain == nil {
		c.Complain = io.Discard
	}
	if c.closeLimit == 0 {
		c.closeLimit = 100 * time.Millisecond
	}
	l, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func closeLog(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func flush(t testing.TB, l *Log) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, l *Log, e Entry, fields ...record.Field) uint64 {
	t.Helper()
	index, ok := l.Write(&e, fields...)
	if !ok {
		t.Fatalf("%+v was dropped", e)
	}
	return index
}

// lines returns the records of a directory as text without their times.
func lines(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	if _, err := query.Search(context.Background(), dir, query.Query{}, func(r *record.Record, types *record.Types) bool {
		all = append(all, plain(string(record.AppendText(nil, r, types))))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// plain cuts the time out of a line.
func plain(line string) string {
	typ, rest, _ := strings.Cut(line, " [")
	_, rest, _ = strings.Cut(rest, " / ")
	return typ + " [" + strings.TrimSuffix(rest, "\n")
}

func verify(t testing.TB, dir string) query.Report {
	t.Helper()
	report, err := query.Verify(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Gaps) > 0 || len(report.Duplicates) > 0 || len(report.Corrupt) > 0 {
		t.Errorf("gaps %v, duplicates %v, corrupt %v", report.Gaps, report.Duplicates, report.Corrupt)
	}
	return report
}

func same(t testing.TB, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestRecordsHaveIndexesWithoutGapsOverRestarts(t *testing.T) {
	dir := t.TempDir()
	for run := range 3 {
		l := open(t, Config{Dir: dir, Types: []string{"guild"}})
		guild, _ := l.Types().Parse("guild")
		for i := range 2 {
			want := uint64(2*run + i + 1)
			if got := write(t, l, Entry{Type: guild, Session: 7, Message: "founded"}, record.Int("run", run)); got != want {
				t.Fatalf("index %d, want %d", got, want)
			}
		}
		closeLog(t, l)
	}
	same(t, lines(t, dir), []string{
		"[guild] [INFO / 1] founded run=0 session=7", "[guild] [INFO / 2] founded run=0 session=7",
		"[guild] [INFO / 3] founded run=1 session=7", "[guild] [INFO / 4] founded run=1 session=7",
		"[guild] [INFO / 5] founded run=2 session=7", "[guild] [INFO / 6] founded run=2 session=7",
	})
	verify(t, dir)
}

func TestRecordsOfAnySizeComeBackWhole(t *testing.T) {
	l := open(t, Config{})
	dir := l.cfg.Dir
	var want []string
	for i, n := range []int{0, 1, 150, 200, 224, 225, 4088, 5000, 100_000} {
		text := strings.Repeat("x", n)
		write(t, l, Entry{Message: "m", Trace: [16]byte{1}, Span: [8]byte{2}}, record.String("text", text))
		quoted := text
		if n == 0 {
			quoted = `""`
		}
		want = append(want, fmt.Sprintf("[system] [INFO / %d] m text=%s trace=01%030d span=02%014d", i+1, quoted, 0, 0))
	}
	closeLog(t, l)
	same(t, lines(t, dir), want)
}

func TestRecordsBeyondTheLimitAreCutAndSaySo(t *testing.T) {
	l := open(t, Config{})
	dir := l.cfg.Dir
	write(t, l, Entry{Message: "kept"}, record.String("a", "b"), record.String("huge", strings.Repeat("x", record.MaxBytes)))
	if got := l.Stats().Cut; got != 1 {
		t.Errorf("%d records cut, want 1", got)
	}
	closeLog(t, l)
	found := false
	_, err := query.Search(context.Background(), dir, query.Query{}, func(r *record.Record, _ *record.Types) bool {
		found = r.Message == "kept" && r.Flags&record.FlagCut != 0 && len(r.Fields) == 1 && r.Fields[0].Text() == "b"
		return true
	})
	if err != nil || !found {
		t.Errorf("the record is not there with its flag and first field: %v", err)
	}
}

// blocked returns a gate that says when somebody stands at it and lets nobody through until release is closed.
func blocked() (gate func() error, arrived, release chan struct{}) {
	arrived, release = make(chan struct{}), make(chan struct{})
	var once sync.Once
	return func() error {
		once.Do(func() { close(arrived) })
		<-release
		return nil
	}, arrived, release
}

// fillRing writes until the ring is full behind a blocked disk.
func fillRing(t testing.TB, l *Log, arrived chan struct{}) {
	t.Helper()
	write(t, l, Entry{Message: "first"})
	<-arrived
	for l.ring.Len() < l.ring.Cap() {
		write(t, l, Entry{Message: "more"})
	}
}

func TestFullRingDropsLowLevelsCountsThemAndTells(t *testing.T) {
	disk := newFaultyFS()
	gate, arrived, release := blocked()
	disk.before(gate)
	l := open(t, Config{FS: disk, RingRecords: 64})
	dir := l.cfg.Dir
	fillRing(t, l, arrived)
	for range 3 {
		if _, ok := l.Write(&Entry{Message: "lost"}); ok {
			t.Fatal("a record was taken by a full ring")
		}
	}
	if got := l.Stats().Dropped[record.Info]; got != 3 {
		t.Errorf("%d dropped, want 3", got)
	}
	close(release)
	flush(t, l)
	closeLog(t, l)
	all := lines(t, dir)
	if last := all[len(all)-1]; last != "[system] [SYSTEM / 65] records dropped info_so_far=3 records=3 flags=dropped" {
		t.Errorf("the last line is %q", last)
	}
	if report := verify(t, dir); report.Records != 65 {
		t.Errorf("%d records, want 65: what is dropped uses no index", report.Records)
	}
}

func TestFullRingMakesHighLevelsWait(t *testing.T) {
	disk := newFaultyFS()
	gate, arrived, release := blocked()
	disk.before(gate)
	l := open(t, Config{FS: disk, RingRecords: 64})
	fillRing(t, l, arrived)
	done := make(chan uint64)
	go func() { // Ends when the disk goes on.
		index, _ := l.Write(&Entry{Level: record.Warn, Message: "patient"})
		done <- index
	}()
	for l.Stats().Waits == 0 {
		runtime.Gosched()
	}
	select {
	case index := <-done:
		t.Fatalf("the call returned %d while the ring was full", index)
	default:
	}
	close(release)
	if index := <-done; index != 65 {
		t.Errorf("index %d, want 65", index)
	}
}

func TestWaitingEndsAtItsLimit(t *testing.T) {
	disk := newFaultyFS()
	gate, arrived, release := blocked()
	disk.before(gate)
	l := open(t, Config{FS: disk, RingRecords: 64, WaitLimit: time.Millisecond})
	defer close(release)
	fillRing(t, l, arrived)
	if _, ok := l.Write(&Entry{Level: record.Error, Message: "late"}); ok {
		t.Error("the call was taken by a full ring")
	}
	if got := l.Stats().Dropped[record.Error]; got != 1 {
		t.Errorf("%d dropped, want 1", got)
	}
}

func TestFullDiskStopsNobodyAndIsRecoveredFrom(t *testing.T) {
	disk := newFaultyFS()
	var said syncBuffer
	l := open(t, Config{FS: disk, RingRecords: 64, Complain: &said})
	dir := l.cfg.Dir
	write(t, l, Entry{Message: "before"})
	flush(t, l)
	disk.before(func() error { return syscall.ENOSPC })
	taken := 0
	for l.Stats().Dropped[record.Warn] == 0 { // would hang if anybody waited for long
		if _, ok := l.Write(&Entry{Level: record.Warn, Message: "during"}); ok {
			taken++
		}
	}
	if s := l.Stats(); !s.Failing || s.Errors == 0 {
		t.Errorf("%+v, want it to be failing", s)
	}
	disk.before(nil)
	flush(t, l)
	write(t, l, Entry{Message: "after"})
	closeLog(t, l)
	if report := verify(t, dir); report.Records < uint64(taken)+2 {
		t.Errorf("%d records, want at least the %d accepted", report.Records, taken+2)
	}
	if !strings.Contains(said.String(), "no space left") || !strings.Contains(said.String(), "can be written again") {
		t.Errorf("the log said %q", said.String())
	}
}

func TestCloseOnAFullDiskLeavesTheRestForTheNextOpen(t *testing.T) {
	disk := newFaultyFS()
	dir, ringDir := t.TempDir(), t.TempDir()
	l := open(t, Config{Dir: dir, RingDir: ringDir, FS: disk})
	write(t, l, Entry{Message: "written"})
	flush(t, l)
	disk.before(func() error { return syscall.ENOSPC })
	for range 3 {
		write(t, l, Entry{Message: "stranded"})
	}
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), "3 records") {
		t.Fatalf("close: %v, want it to speak of 3 records", err)
	}
	l = open(t, Config{Dir: dir, RingDir: ringDir})
	if got := write(t, l, Entry{Message: "next"}); got != 5 {
		t.Errorf("index %d, want 5", got)
	}
	closeLog(t, l)
	same(t, lines(t, dir), []string{
		"[system] [INFO / 1] written", "[system] [INFO / 2] stranded", "[system] [INFO / 3] stranded",
		"[system] [INFO / 4] stranded", "[system] [INFO / 5] next",
	})
	if left, _ := os.ReadDir(ringDir); len(left) != 0 {
		t.Errorf("rings are left behind: %v", left)
	}
}

func TestWriteAfterCloseIsDroppedAndCounted(t *testing.T) {
	l := open(t, Config{})
	closeLog(t, l)
	if _, ok := l.Write(&Entry{Level: record.Error, Message: "late"}); ok || l.Stats().Dropped[record.Error] != 1 {
		t.Errorf("taken %v, dropped %v", ok, l.Stats().Dropped)
	}
	if err := l.Flush(context.Background()); err != nil {
		t.Errorf("flush with everything written: %v", err)
	}
	closeLog(t, l)
}

func TestDirectoryHasOneOwner(t *testing.T) {
	l := open(t, Config{})
	_, err := Open(Config{Dir: l.cfg.Dir, Complain: io.Discard})
	if !errors.Is(err, segment.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("second owner: %v, want %v with the process id", err, segment.ErrInUse)
	}
	closeLog(t, l)
	open(t, Config{Dir: l.cfg.Dir})
}

func TestOpenReportsEveryBadField(t *testing.T) {
	_, err := Open(Config{Level: 99, RingRecords: 100, Sync: 99, SyncEvery: time.Nanosecond, Format: 9, WaitLimit: -1})
	for _, want := range []string{"no directory", "level 99", "ring of 100", "sync policy 99", "1ns", "format 9", "-1ns"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not speak of %q", err, want)
		}
	}
	if _, err = Open(Config{Dir: t.TempDir(), TypeLevels: map[string]record.Level{"nope": record.Info}}); err == nil {
		t.Error("a level for an unknown type is taken")
	}
	if _, err = Open(Config{Dir: t.TempDir(), Types: []string{"Bad Name"}}); err == nil {
		t.Error("a bad name of a type is taken")
	}
}

func TestLevelsChangeWhileItRuns(t *testing.T) {
	l := open(t, Config{TypeLevels: map[string]record.Level{"session": record.Debug}})
	enabled := func(level record.Level, typ record.Type, want bool) {
		t.Helper()
		if got := l.Enabled(level, typ); got != want {
			t.Errorf("%v of type %d: enabled %v, want %v", level, typ, got, want)
		}
	}
	enabled(record.Debug, record.TypeSession, true)
	enabled(record.Debug, record.TypeChat, false)
	enabled(record.Info, record.TypeChat, true)
	l.SetLevel(record.Error)
	enabled(record.Warn, record.TypeChat, false)
	enabled(record.Debug, record.TypeSession, true)
	l.SetTypeLevel(record.TypeSession, 0)
	enabled(record.Warn, record.TypeSession, false)
	if l.EnabledAny(record.Warn) || !l.EnabledAny(record.Error) {
		t.Error("the least level is not ERROR")
	}
	enabled(record.System, record.MaxTypes, false)
}

func TestSyncEachReturnsWhenTheRecordIsOnTheDevice(t *testing.T) {
	l := open(t, Config{Sync: SyncEach})
	for range 3 {
		index := write(t, l, Entry{Message: "durable"})
		if got := l.Stats().Synced; got < index {
			t.Fatalf("synced up to %d, want at least %d", got, index)
		}
	}
}

func TestSyncOnErrorFollowsAnError(t *testing.T) {
	l := open(t, Config{Sync: SyncOnError, SyncEvery: time.Hour})
	write(t, l, Entry{Message: "not urgent"})
	flush(t, l)
	if got := l.Stats().Syncs; got != 0 {
		t.Errorf("%d syncs before the error", got)
	}
	index := write(t, l, Entry{Level: record.Error, Message: "urgent"})
	for l.Stats().Synced < index {
		runtime.Gosched()
	}
}

func TestManyCallersLoseNothing(t *testing.T) {
	l := open(t, Config{RingRecords: 256, Block: record.AtLeast(record.Debug), SegmentBytes: 1 << 20})
	dir := l.cfg.Dir
	const callers, each = 8, 4000
	var all sync.WaitGroup
	for caller := range callers {
		all.Add(1)
		go func() { // Ends when its records are in.
			defer all.Done()
			for i := range each {
				write(t, l, Entry{Session: uint64(caller) + 1, Message: "hit"}, record.Int("i", i), record.String("pad", strings.Repeat("p", i%400)))
			}
		}()
	}
	all.Wait()
	closeLog(t, l)
	if report := verify(t, dir); report.Records != callers*each {
		t.Errorf("%d records, want %d", report.Records, callers*each)
	}
	next := map[uint64]int64{}
	_, err := query.Search(context.Background(), dir, query.Query{}, func(r *record.Record, _ *record.Types) bool {
		if r.Fields[0].Int() != next[r.Session] {
			t.Errorf("session %d: record %d, want %d", r.Session, r.Fields[0].Int(), next[r.Session])
			return false
		}
		next[r.Session]++
		return true
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNeitherCallNorWriterAllocates(t *testing.T) {
	for _, format := range []Format{Binary, Text} {
		l := open(t, Config{Format: format, Block: record.AtLeast(record.Debug)})
		name, records := "player", 20_000
		log := func() {
			for range records {
				l.Write(&Entry{Type: record.TypeGame, Session: 9, Message: "moved to a new cell"},
					record.String("name", name), record.Int("x", 17), record.Int("y", -4), record.String("op", "move"), record.Bool("ok", true))
			}
			flush(t, l)
		}
		log() // buffers grow
		// A few blocks, writes and naps of the writer are beside the records.
		if got := testing.AllocsPerRun(1, log); got > float64(records)/50 {
			t.Errorf("format %d: %v allocations for %d records", format, got, records)
		}
	}
}

func TestTextIsOneLineARecordAndGoesOn(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Format: Text})
	write(t, l, Entry{Message: "one"}, record.String("text", "two\nlines"))
	write(t, l, Entry{Level: record.Error, Type: record.TypeDB, Session: 3, Message: "two"})
	closeLog(t, l)
	path := filepath.Join(dir, fmt.Sprintf("%020d.txt", 1))
	torn, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(torn, "[system] [2026-01-01T00:00:0")
	torn.Close()
	l = open(t, Config{Dir: dir, Format: Text})
	if got := write(t, l, Entry{Message: "three"}); got != 4 {
		t.Errorf("index %d, want 4 behind the record that tells of the torn line", got)
	}
	closeLog(t, l)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		got = append(got, plain(line))
	}
	same(t, got, []string{
		`[system] [INFO / 1] one text="two\nlines"`, "[db] [ERROR / 2] two session=3",
		"[system] [WARN / 3] log mended after a crash cut_bytes=28", "[system] [INFO / 4] three",
	})
}

func TestTextRotatesAndKeepsWhatItShould(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Format: Text, SegmentBytes: 1 << 20, KeepSegments: 2, Block: record.AtLeast(record.Debug)})
	for range 400 {
		write(t, l, Entry{Message: strings.Repeat("m", 10_000)})
		flush(t, l)
	}
	closeLog(t, l)
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(names) != 2 {
		t.Errorf("files %v, want 2: %v", names, err)
	}
}

// syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func BenchmarkWrite(b *testing.B) {
	l := open(b, Config{Block: record.AtLeast(record.Debug)})
	b.ReportAllocs()
	for b.Loop() {
		l.Write(&Entry{Type: record.TypeGame, Session: 9, Message: "moved to a new cell"},
			record.String("name", "player"), record.Int("x", 17), record.Int("y", -4), record.String("op", "move"), record.Bool("ok", true))
	}
}

func TestSessionIsFoundAmongRecordsWithoutOne(t *testing.T) {
	l := open(t, Config{Block: record.AtLeast(record.Debug)})
	dir, want := l.cfg.Dir, int64(0)
	for i := range 20_000 {
		e := Entry{Message: "hit"}
		if i%2 == 1 {
			e.Session = 7
			want++
		}
		write(t, l, e, record.String("pad", strings.Repeat("p", 100+i%3)))
	}
	closeLog(t, l)
	found, err := query.Search(context.Background(), dir, query.Query{Session: 7}, nil)
	if err != nil || found.Hits != want {
		t.Errorf("%d records found, want %d: %v", found.Hits, want, err)
	}
}
