package flight

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The child of these tests is this test binary, started again with childEnv
// set: it writes to a file until its parent kills it.
const (
	childEnv     = "FLIGHT_TEST_CHILD" // "<mode> <dir>"
	childRecords = 256
)

func TestMain(m *testing.M) {
	if mode, dir, ok := strings.Cut(os.Getenv(childEnv), " "); ok {
		child(mode, dir)
	}
	os.Exit(m.Run())
}

// child never returns.
func child(mode, dir string) {
	r, err := NewRecorder(Config{Dir: dir, Name: "child", Worker: 5, Records: childRecords, Lifecycle: 64, Boot: 99})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	r.Event(KindSession, 77, 1, 0, 2, 3)
	for i := 1; ; i++ {
		writePacket(r)
		if i != 5*childRecords {
			continue
		}
		if mode == "block" {
			r.Begin(12345, 678, 90)
			fmt.Println("ready")
			select {}
		}
		fmt.Println("ready")
	}
}

// killed starts a child, kills it with SIGKILL once it says it is ready, and
// returns what its file holds.
func killed(t *testing.T, mode string) *File {
	t.Helper()
	if !Enabled {
		t.Skip("built with norecord")
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+mode+" "+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil || line != "ready\n" {
		t.Fatalf("child said %q: %v", line, err)
	}
	f, err := OpenFile(Path(dir, "child", 5))
	if err != nil {
		t.Fatal(err)
	}
	if f.Boot != 99 || f.PID != cmd.Process.Pid || f.Closed || f.Changed {
		t.Errorf("header: %+v", f)
	}
	if len(f.Lifecycle) != 1 || f.Lifecycle[0].Session != 77 {
		t.Errorf("life cycle: %+v", f.Lifecycle)
	}
	return f
}

func TestSIGKILLLeavesTheLastRecordsAndTheOpenOne(t *testing.T) {
	f := killed(t, "block")
	if len(f.Packets) != childRecords || f.Torn != 0 {
		t.Fatalf("%d records, %d torn", len(f.Packets), f.Torn)
	}
	for i, rec := range f.Packets[:childRecords-1] {
		if want := uint64(4*childRecords + i + 2); rec.Seq != want || !sound(rec) {
			t.Errorf("record %d: %+v, want number %d", i, rec, want)
		}
	}
	open := f.Packets[childRecords-1]
	if open.Flags != FlagOpen || open.Session != 12345 || open.Type != 678 || open.Size != 90 {
		t.Errorf("open: %+v", open)
	}
}

func TestSIGKILLAtAnyPointLosesAtMostTheHalfWrittenRecord(t *testing.T) {
	for range 8 {
		f := killed(t, "run")
		if len(f.Packets)+f.Torn != childRecords || f.Torn > 1 {
			t.Fatalf("%d records, %d torn", len(f.Packets), f.Torn)
		}
		for i, rec := range f.Packets {
			if rec.Seq != f.Packets[0].Seq+uint64(i) || !sound(rec) {
				t.Errorf("record %d: %+v", i, rec)
			}
			if rec.Group == 0 && i < len(f.Packets)-5 {
				t.Errorf("record %d has no times: %+v", i, rec)
			}
		}
	}
}
