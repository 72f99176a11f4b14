package snapshot

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The memory victim's pages: where what is.
const (
	patternPage = iota // changes when it is asked to
	secretPage         // is to be excluded
	zeroPages          // written with zeros
	stackPage          // looks like the frame of a throw
	textPage           // what it threw
	memoryPages = 64
)

const thrown = "concurrent map writes"

func memoryVictim() {
	pages, err := unix.Mmap(-1, 0, memoryPages*pageBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	undumped, err2 := unix.Mmap(-1, 0, 16*pageBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err := errors.Join(err, err2, unix.Madvise(undumped, unix.MADV_DONTDUMP)); err != nil {
		panic(err)
	}
	page := func(i int) []byte { return pages[i*pageBytes : (i+1)*pageBytes] }
	fillText(page(patternPage), "before ")
	fillText(page(secretPage), "secret ")
	fillText(undumped, "secret ")
	clear(page(zeroPages))
	copy(page(textPage), thrown+"this is another string")
	frame := page(stackPage)[1024:]
	binary.LittleEndian.PutUint64(frame, address(page(textPage)))
	binary.LittleEndian.PutUint64(frame[8:], uint64(len(thrown)))
	writer, inode := blockInWrite()
	serve(map[string]func([]string) string{
		"pages":  func([]string) string { return fmt.Sprint(address(pages), address(undumped), writer, inode) },
		"change": func([]string) string { fillText(page(patternPage), "after "); return "done" },
	})
}

// blockInWrite has a thread write to a full pipe, and gives the thread and the pipe's inode.
func blockInWrite() (tid int, inode uint64) {
	var p [2]int
	var st unix.Stat_t
	if err := errors.Join(unix.Pipe(p[:]), unix.Fstat(p[1], &st)); err != nil {
		panic(err)
	}
	tids := make(chan int)
	go func() { // ended with the process
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() { // the main thread would be the subject anyway
			go writeForever(p[1], tids) // ended with the process
			select {}
		}
		writeForever(p[1], tids)
	}()
	return <-tids, st.Ino
}

// writeForever tells the thread that it is on and writes.
func writeForever(fd int, tids chan<- int) {
	runtime.LockOSThread()
	tids <- unix.Gettid()
	for b := make([]byte, 1<<20); ; { // a signal ends a write that has written some
		_, _ = unix.Write(fd, b)
	}
}

func fillText(b []byte, text string) {
	for n := 0; n < len(b); {
		n += copy(b[n:], text)
	}
}

func address(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }

// broadBytes is a quarter of the address space: the heap stands at random in the middle of it.
const broadBytes = 32 << 40

// broadVictim touches the ends of broadBytes, and on demand promises more memory than there is.
func broadVictim() {
	const size = broadBytes
	base, err := unix.MmapPtr(-1, 0, nil, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		panic(err)
	}
	fillText(unsafe.Slice((*byte)(base), 8), "low")
	fillText(unsafe.Slice((*byte)(unsafe.Add(base, size-pageBytes)), 8), "high")
	serve(map[string]func([]string) string{
		"pages":   func([]string) string { return fmt.Sprint(uint64(uintptr(base))) },
		"fill":    func([]string) string { return fmt.Sprint(fillHalf()) },
		"prepare": func([]string) string { return prepared() },
		"promise": func(fields []string) string { return promise(fields[0]) },
	})
}

// fillHalf makes room for 16 huge pages and writes all of eight, and all but one small page of the others.
func fillHalf() uint64 {
	room, err := unix.Mmap(-1, 0, 17*hugeBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic(err)
	}
	room = room[-address(room)&(hugeBytes-1):]
	for i := range 16 {
		page := room[i*hugeBytes:][:hugeBytes]
		if i%2 == 1 {
			page = page[pageBytes:]
		}
		fillText(page, "filled ")
	}
	return address(room)
}

// prepared tells what Prepare did: moved, refused, complete, error.
func prepared() string {
	done, err := Prepare(patience)
	return fmt.Sprint(done.Moved, " ", done.Refused, " ", done.Complete, " ", err)
}

// promise maps memory beyond all there is, in parts of which each would fit, and touches a page in every stretch of it.
func promise(stretch string) string {
	var in unix.Sysinfo_t
	step, err := strconv.Atoi(stretch)
	if err := errors.Join(err, unix.Sysinfo(&in)); err != nil {
		return err.Error()
	}
	part := uintptr(in.Totalram) / 4 * 3 &^ (1<<21 - 1)
	base, err := unix.MmapPtr(-1, 0, nil, 3*part, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	for i := range 3 {
		at := unsafe.Add(base, uintptr(i)*part)
		_, partErr := unix.MmapPtr(-1, 0, at, part, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_FIXED)
		err = errors.Join(err, partErr)
	}
	if err != nil {
		return err.Error()
	}
	for at := uintptr(0); at < 3*part; at += uintptr(step) {
		*(*byte)(unsafe.Add(base, at)) = 1
	}
	return fmt.Sprint(uint64(uintptr(base)), uint64(3*part))
}

// picture is a core that was written and expanded.
type picture struct {
	t    *testing.T
	core Core
	path string
	elf  *elf.File
}

func (v *victim) picture(s *Snapshot, o CoreOptions) *picture {
	v.t.Helper()
	if underRace {
		v.t.Skip("cores of programs under the race detector take minutes")
	}
	p := &picture{t: v.t, path: filepath.Join(v.t.TempDir(), "core")}
	var packed bytes.Buffer
	var err error
	if p.core, err = s.WriteCore(&packed, o); err != nil {
		v.t.Fatal(err)
	}
	sum := sha256.Sum256(packed.Bytes())
	if p.core.SHA256 != hex.EncodeToString(sum[:]) || p.core.Written != int64(packed.Len()) {
		v.t.Errorf("core tells of %d bytes with sum %s, there are %d with %x", p.core.Written, p.core.SHA256, packed.Len(), sum)
	}
	f, err := os.Create(p.path)
	if err != nil {
		v.t.Fatal(err)
	}
	defer f.Close()
	if err := Expand(f, &packed); err != nil {
		v.t.Fatal(err)
	}
	if p.elf, err = elf.Open(p.path); err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = p.elf.Close() })
	return p
}

// at reads from a picture; nothing where it has nothing.
func (p *picture) at(addr uint64, n int) []byte {
	for _, prog := range p.elf.Progs {
		if prog.Type == elf.PT_LOAD && addr >= prog.Vaddr && addr+uint64(n) <= prog.Vaddr+prog.Filesz {
			b := make([]byte, n)
			if _, err := prog.ReadAt(b, int64(addr-prog.Vaddr)); err == nil {
				return b
			}
		}
	}
	return nil
}

// threads lists the threads in the notes, in order.
func (p *picture) threads() []int {
	p.t.Helper()
	var tids []int
	b, err := io.ReadAll(p.elf.Progs[0].Open())
	if err != nil {
		p.t.Fatal(err)
	}
	for len(b) >= 12 {
		name, size, kind := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
		data := b[12+(name+3)&^3:]
		if kind == uint32(elf.NT_PRSTATUS) && string(b[12:16]) == "CORE" {
			tids = append(tids, int(binary.LittleEndian.Uint32(data[32:])))
		}
		b = data[(size+3)&^3:]
	}
	return tids
}

func (v *victim) addresses() []uint64 {
	var out []uint64
	for _, field := range v.ask("pages") {
		out = append(out, uint64(number(v.t, field)))
	}
	return out
}

// The core holds memory as it was when the picture was taken, what is to be left out as zeros, and the subject first.
func TestWriteCore(t *testing.T) {
	v := startVictim(t, "memory")
	at := v.addresses()
	pattern, secret, undumped, tid := at[0]+patternPage*pageBytes, at[0]+secretPage*pageBytes, at[1], int(at[2])
	until(t, "the thread is in its write", func() bool {
		call, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/syscall", v.pid, tid))
		return bytes.HasPrefix(call, []byte("1 "))
	})
	s := v.take(Options{Pipe: at[3]})
	if byNumber := v.take(Options{Thread: tid}); byNumber.Thread != tid {
		t.Errorf("subject is %d, want %d", byNumber.Thread, tid)
	}
	v.ask("change")
	var steps []int64
	p := v.picture(s, CoreOptions{
		Exclude: []Range{{secret + 100, 100}, {secret, 150}, {secret + pageBytes - 50, 50}, {^uint64(0) - 5, 100}},
		Step:    func(n int64) { steps = append(steps, n) },
	})
	if got := p.threads(); got[0] != tid || len(got) != s.Threads || s.Thread != tid || p.core.Threads != s.Threads {
		t.Errorf("threads of the core are %v, want %d first of %d", got, tid, s.Threads)
	}
	if got := p.at(pattern, 14); string(got) != "before before " {
		t.Errorf("core has %q, want what was before", got)
	}
	want := []byte{}
	want = append(want, make([]byte, 200)...)
	for n := 200; n < pageBytes-50; n++ {
		want = append(want, "secret "[n%7])
	}
	if got := p.at(secret, pageBytes); !bytes.Equal(got, append(want, make([]byte, 50)...)) {
		t.Errorf("what is excluded is not zero, or what is not excluded is: %q", got)
	}
	if got := p.at(undumped, 8); got != nil || p.core.Excluded != 250 {
		t.Errorf("core has %q of memory that is not to be dumped, and %d bytes excluded, want 250", got, p.core.Excluded)
	}
	checkShape(t, p, steps)
}

// checkShape checks what holds for every complete core.
func checkShape(t *testing.T, p *picture, steps []int64) {
	t.Helper()
	info, err := os.Stat(p.path)
	if err != nil || info.Size() != p.core.Apparent || p.core.Cut {
		t.Errorf("core has %d bytes (%v), want %d, not cut", info.Size(), err, p.core.Apparent)
	}
	loads := slices.DeleteFunc(slices.Clone(p.elf.Progs), func(prog *elf.Prog) bool { return prog.Type != elf.PT_LOAD })
	headers := pageUp(p.elf.Progs[0].Off + p.elf.Progs[0].Filesz)
	if p.core.Segments != len(loads) || p.core.Data+p.core.Holes != p.core.Apparent-int64(headers) || p.core.Unreadable != 0 {
		t.Errorf("core tells of %+v, with %d segments and %d bytes of headers", p.core, len(loads), headers)
	}
	if !slices.IsSortedFunc(loads, func(a, b *elf.Prog) int {
		if a.Vaddr+a.Memsz <= b.Vaddr {
			return -1
		}
		return 1
	}) {
		t.Error("segments overlap or are out of order")
	}
	if want := int(p.core.Data+p.core.Holes) / (1 << 30); len(steps) < want || !slices.IsSorted(steps) {
		t.Errorf("steps %v, want at least %d that grow", steps, want)
	}
}

// The core opens with the headers of the program, which tell its build.
func TestCoreHasHeadersOfProgram(t *testing.T) {
	v := startVictim(t, "memory")
	p := v.picture(v.take(Options{}), CoreOptions{})
	exe, err := os.ReadFile(fmt.Sprintf("/proc/%d/exe", v.pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, prog := range p.elf.Progs {
		if prog.Type == elf.PT_LOAD && prog.Filesz == pageBytes && bytes.Equal(p.at(prog.Vaddr, pageBytes), exe[:pageBytes]) {
			return
		}
	}
	t.Error("no segment holds the first page of the program")
}

func TestReadAndThrowText(t *testing.T) {
	v := startVictim(t, "memory")
	at := v.addresses()
	s := v.take(Options{})
	b := make([]byte, 6)
	if n, err := s.Read(at[0], b); n != 6 || err != nil || string(b) != "before" {
		t.Errorf("read gave %d bytes %q, %v", n, b, err)
	}
	if n, err := s.Read(8, b); n != 0 || err == nil {
		t.Errorf("read of nothing gave %d bytes, %v", n, err)
	}
	text, stack := at[0]+textPage*pageBytes, at[0]+stackPage*pageBytes
	for _, c := range []struct {
		name      string
		throw     Throw
		want, how string
	}{
		{"on the stack", Throw{text, 0xc0001234, stack + 1100, stack + 1000}, thrown, "stackscan"},
		{"beside the frame", Throw{text, 0, stack + 900, stack + 800}, thrown, "stackscan"},
		{"stack beats argument", Throw{text, 10, stack + 1100, stack + 1000}, thrown, "stackscan"},
		{"argument", Throw{text, 10, 0, 0}, "concurrent", "argument"},
		{"frame out of all proportion", Throw{text, 10, ^uint64(0), 300}, "concurrent", "argument"},
		{"no length", Throw{text, 1 << 40, stack + 3000, stack + 2900}, "", ""},
		{"not text", Throw{at[0] + zeroPages*pageBytes, 10, 0, 0}, "", ""},
		{"nowhere", Throw{8, 10, 0, 0}, "", ""},
	} {
		got, how, err := s.ThrowText(c.throw)
		if got != c.want || (err == nil) != (c.want != "") || err == nil && how != c.how {
			t.Errorf("%s: got %q by %q, %v; want %q by %q", c.name, got, how, err, c.want, c.how)
		}
	}
}

// At a limit the core ends as a valid file that says so.
func TestCoreIsCutAtLimits(t *testing.T) {
	v := startVictim(t, "memory")
	for name, o := range map[string]CoreOptions{
		"bytes": {MaxBytes: 1},
		"time":  {Deadline: time.Nanosecond},
	} {
		p := v.picture(v.take(Options{}), o)
		info, err := os.Stat(p.path)
		if !p.core.Cut || err != nil || info.Size() >= p.core.Apparent && name == "bytes" {
			t.Errorf("%s: core has %d bytes (%v) and tells of %+v", name, info.Size(), err, p.core)
		}
	}
}

// Address space that nobody touched costs nothing, in whatever amount.
func TestCoreOfBroadProcess(t *testing.T) {
	v := startVictim(t, "broad")
	base := v.addresses()[0]
	p := v.picture(v.take(Options{}), CoreOptions{Deadline: patience})
	if low, high := p.at(base, 3), p.at(base+broadBytes-pageBytes, 4); string(low) != "low" || string(high) != "high" {
		t.Errorf("core has %q and %q at the ends of 32 TiB", low, high)
	}
	checkShape(t, p, []int64{1, 1, 1, 1, 1, 1, 1, 1})
}

// Both ways of asking the kernel for pages tell of the same.
func TestPagesBothWays(t *testing.T) {
	v := startVictim(t, "memory")
	base := v.addresses()[0]
	p, err := openPages(v.pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	found := func(p pages) (out []uint64) {
		complete := p.each(base, base+memoryPages*pageBytes, time.Now().Add(patience), func(start, end uint64) bool {
			for ; start < end; start += pageBytes {
				out = append(out, (start-base)/pageBytes)
			}
			return true
		})
		if !complete {
			t.Errorf("pages are not complete, scan %v", p.scan)
		}
		return out
	}
	want := []uint64{patternPage, secretPage, zeroPages, stackPage, textPage}
	for _, scan := range []bool{p.scan, false} {
		p.scan = scan
		if got := found(p); !slices.Equal(got, want) {
			t.Errorf("scan %v finds pages %v, want %v", scan, got, want)
		}
		if p.each(base, base+pageBytes, time.Now().Add(-time.Second), func(uint64, uint64) bool { return true }) {
			t.Errorf("scan %v is complete behind its deadline", scan)
		}
	}
}

// A fork that the kernel refuses for memory that was promised and never touched succeeds without that memory, and the
// process keeps it. With pages everywhere in it there is no fork; then the process itself is read while it stands.
func TestTakeOfProcessThatPromisedTooMuch(t *testing.T) {
	if mode, err := os.ReadFile("/proc/sys/vm/overcommit_memory"); err != nil || mode[0] != '0' {
		t.Skipf("vm.overcommit_memory is %q, %v: no fork is refused", mode, err)
	}
	t.Run("untouched", func(t *testing.T) {
		v := startVictim(t, "broad")
		v.ask("promise 8589934592")
		s := v.take(Options{})
		v.release(s)
		_ = eachMapping(v.pid, "smaps", func(m mapping) bool {
			if m.notInherited {
				t.Errorf("mapping %x-%x is not inherited any more", m.start, m.end)
			}
			return true
		})
		v.free()
	})
	t.Run("touched", func(t *testing.T) {
		v := startVictim(t, "broad")
		at := v.ask("promise 536870912")
		if _, err := Take(v.pid, Options{}); !errors.Is(err, ErrNoFork) || !errors.Is(err, unix.ENOMEM) {
			t.Errorf("take gave %v, want %v", err, ErrNoFork)
		}
		v.free()
		v.ask("hello")
		s := v.take(Options{Direct: true})
		if st, err := readStat(fmt.Sprintf("/proc/%d/stat", v.pid)); s.Child != 0 || err != nil || st.state != 't' {
			t.Errorf("child %d, process in state %c (%v), want it to stand", s.Child, st.state, err)
		}
		one := make([]byte, 1)
		if _, err := s.Read(uint64(number(t, at[0])), one); err != nil || one[0] != 1 {
			t.Errorf("memory is %v, %v, want [1]", one, err)
		}
		if core, err := s.WriteCore(io.Discard, CoreOptions{}); err != nil || core.Holes < number(t, at[1])*9/10 || core.Written > 64<<20 {
			t.Errorf("core of %s bytes that hold almost nothing is %+v, %v", at[1], core, err)
		}
		if err := s.Release(); err != nil {
			t.Error(err)
		}
		v.free()
		monitor := startVictim(t, "monitor")
		monitor.ask(fmt.Sprintf("hold %d direct", v.pid))
		if err := monitor.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		v.ask("hello")
	})
}

// Memory that is in use as a whole comes on huge pages, other memory does not, and what is in it stays.
func TestPrepare(t *testing.T) {
	v := startVictim(t, "broad")
	at := uint64(number(t, v.ask("fill")[0]))
	done := v.ask("prepare")
	if strings.Contains(strings.Join(done, " "), errors.ErrUnsupported.Error()) {
		t.Skip("the kernel cannot scan pages")
	}
	refused := number(t, done[1])
	if number(t, done[0]) < 8-refused || done[2] != "true" || done[3] != "<nil>" {
		t.Errorf("prepare gave %q; want at least 8 pages, complete", done)
	}
	p, err := openPages(v.pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.filter = pageFilter{all: pageHuge}
	var huge []uint64
	p.each(at, at+16*hugeBytes, time.Now().Add(patience), func(start, end uint64) bool {
		for ; start < end; start += hugeBytes {
			huge = append(huge, (start-at)/hugeBytes)
		}
		return true
	})
	if slices.ContainsFunc(huge, func(i uint64) bool { return i%2 == 1 }) || int64(len(huge)) < 8-refused {
		t.Errorf("huge pages are %v, want the even ones", huge)
	}
	if again := v.ask("prepare"); number(t, again[0]) > refused+2 || again[3] != "<nil>" {
		t.Errorf("second prepare gave %q; want nothing left", again)
	}
	s, b := v.take(Options{}), make([]byte, 7)
	for i := range uint64(16) {
		if _, err := s.Read(at+i*hugeBytes+(i%2)*pageBytes, b); err != nil || string(b) != "filled " {
			t.Errorf("page %d holds %q, %v", i, b, err)
		}
	}
}
