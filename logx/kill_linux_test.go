package logx

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"vitrine/logx/query"
	"vitrine/logx/record"
)

const (
	killDirEnv    = "LOGX_TEST_KILL_DIR"
	killedCallers = 4
)

// returned is a counter for each caller in memory that survives the process.
func returned(t *testing.T, dir string) []atomic.Uint64 {
	t.Helper()
	const size = 4096
	file, err := os.OpenFile(filepath.Join(dir, "returned"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err = file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(memory) })
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&memory[0])), killedCallers)
}

// TestKilledProcess is the process that TestKillLosesNothing kills: it logs until then.
func TestKilledProcess(t *testing.T) {
	dir := os.Getenv(killDirEnv)
	if dir == "" {
		t.Skip("another test runs it")
	}
	counts := returned(t, dir)
	l := open(t, Config{Dir: filepath.Join(dir, "log"), RingDir: dir, RingRecords: 1 << 12, Block: record.AtLeast(record.Debug)})
	for caller := 1; caller < killedCallers; caller++ {
		go logForever(l, caller, &counts[caller]) // Ends with the process.
	}
	logForever(l, 0, &counts[0])
}

func logForever(l *Log, caller int, count *atomic.Uint64) {
	pad := make([]byte, 1000)
	for i := count.Load(); ; i++ {
		// Now and then a record that spills.
		if _, ok := l.Write(&Entry{Session: uint64(caller) + 1, Message: "hit"}, record.Uint("i", i),
			record.String("pad", string(pad[:100+(i%100)/99*900]))); !ok {
			panic("a record was dropped")
		}
		count.Store(i + 1)
	}
}

func TestKillLosesNothing(t *testing.T) {
	dir := t.TempDir()
	counts := returned(t, dir)
	for kill := range 4 {
		killAfter(t, dir, &counts[0], counts[0].Load()+uint64(500+3000*kill))
		l := open(t, Config{Dir: filepath.Join(dir, "log"), RingDir: dir})
		closeLog(t, l)
		checkReturned(t, filepath.Join(dir, "log"), counts)
	}
}

// killAfter starts the process and kills it when its first caller has returned that often.
func killAfter(t *testing.T, dir string, count *atomic.Uint64, target uint64) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$", "-test.v")
	child.Env = append(os.Environ(), killDirEnv+"="+dir)
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); count.Load() < target; {
		if time.Now().After(deadline) {
			t.Error("the process does not log")
			break
		}
		syscall.Select(0, nil, nil, nil, &syscall.Timeval{Usec: 100})
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
}

// checkReturned wants every call that had returned, in its caller's order, and no gap and no index twice. The call that each
// caller was in may have left its record or a tombstone: then the caller's next record has the same number again.
func checkReturned(t *testing.T, dir string, counts []atomic.Uint64) {
	t.Helper()
	verify(t, dir)
	var next [killedCallers]uint64
	_, err := query.Search(context.Background(), dir, query.Query{}, func(r *record.Record, _ *record.Types) bool {
		if r.Flags&record.FlagTombstone != 0 {
			return true
		}
		if r.Session == 0 { // the log's own: nothing is lost, so it does not shout
			if r.Level > record.Warn {
				t.Errorf("index %d: %v %s", r.Index, r.Level, r.Message)
			}
			return true
		}
		caller, i := r.Session-1, r.Fields[0].Uint()
		if i != next[caller] && i+1 != next[caller] {
			t.Errorf("index %d: caller %d wrote %d, want %d", r.Index, caller, i, next[caller])
			return false
		}
		next[caller] = i + 1
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for caller := range next {
		if want := counts[caller].Load(); next[caller] < want {
			t.Errorf("caller %d: %d records, %d calls had returned", caller, next[caller], want)
		}
	}
	if t.Failed() {
		t.Log(fmt.Sprint("next ", next))
	}
}
