package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// logs makes n sealed segments of ten records each, and one that is being written.
func (d *desk) logs(n int) {
	d.t.Helper()
	for range n {
		d.put(10)
		must(d.t, d.w.Rotate())
	}
	d.put(10)
}

// Plain zstd gives back the exact .log, and readers find everything in it.
func TestCompressedSegmentIsTheSame(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(3000)
	d.putBig(30)
	must(t, d.w.Rotate())
	must(t, d.close())
	log := d.read(1, suffixLog)
	d.config.Compress = true
	must(t, d.open())
	d.waitFor("compression", func(s Stats) bool { return s.Compressed == 1 })
	r, err := zstd.NewReader(bytes.NewReader(d.read(1, suffixZstd)))
	must(t, err)
	defer r.Close()
	back, err := io.ReadAll(r)
	must(t, err)
	if !bytes.Equal(back, log) {
		t.Errorf("%d bytes came back, not the %d of the .log", len(back), len(log))
	}
	if s := d.w.Stats(); s.FromBytes != int64(len(log)) || s.ToBytes != int64(len(d.read(1, suffixZstd))) {
		t.Errorf("%+v", s)
	}
	if want := []string{fileName(1, suffixIndex), fileName(1, suffixZstd), fileName(1, suffixWarn)}; !slices.Equal(slices.Sorted(slices.Values(d.names())), slices.Sorted(slices.Values(want))) {
		t.Errorf("files %q, want %q", d.names(), want)
	}
	d.holds(1, 3030)
}

// Whatever stops a compression, the .log stays, nothing half done does, somebody is told, and a later try succeeds.
func TestCompressionThatFailsLeavesTheLog(t *testing.T) {
	at := func(op, suffix string) func(o, name string) error {
		return func(o, name string) error {
			if o == op && strings.HasSuffix(name, suffix) {
				return syscall.EIO
			}
			return nil
		}
	}
	zst := suffixZstd + suffixTemp
	cases := map[string]struct {
		write func(string, []byte, int64) (int, error)
		fail  func(op, name string) error
	}{
		"disk full":     {func(name string, b []byte, _ int64) (int, error) { return len(b) / 2, syscall.EIO }, nil},
		"not created":   {nil, at("open", zst)},
		"not synced":    {nil, at("sync", zst)},
		"not renamed":   {nil, at("rename", suffixZstd)},
		"log unread":    {nil, at("open", suffixLog)},
		"index unread":  {nil, at("open", suffixIndex)},
		"names unsaved": {nil, at("syncdir", "")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFaultFS()
			d := newDesk(t, Config{FS: f})
			d.put(2000)
			must(t, d.w.Rotate())
			must(t, d.close())
			log := d.read(1, suffixLog)
			d.config.Compress = true
			w := &d.config
			must(t, w.SetDefaults())
			f.set(c.write, c.fail)
			b := &background{config: w, counters: &counters{}, broken: map[uint64]bool{}, quit: make(chan struct{})}
			b.live.Store(2001)
			b.pass()
			if told := d.told(); len(told) != 1 || !errors.Is(told[0], syscall.EIO) || !strings.Contains(told[0].Error(), "segment 1") {
				t.Errorf("told %v", told)
			}
			if !bytes.Equal(d.read(1, suffixLog), log) {
				t.Error("the .log is not what it was")
			}
			for _, n := range d.names() {
				if strings.HasSuffix(n, suffixTemp) {
					t.Errorf("%s stays", n)
				}
			}
			f.set(nil, nil)
			must(t, d.open())
			d.waitFor("compression", func(Stats) bool { return d.tended() && d.data()[0] == fileName(1, suffixZstd) })
			d.holds(1, 2000)
		})
	}
}

// A segment that cannot be compressed because its data are damaged stays as it is and is told of once.
func TestDamagedSegmentIsLeftAlone(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(3000)
	must(t, d.w.Rotate())
	d.put(10)
	must(t, d.close())
	log := d.read(1, suffixLog)
	log[5000] ^= 1
	d.overwrite(1, suffixLog, log)
	must(t, os.Remove(d.path(1, suffixIndex)))
	d.config.Compress = true
	must(t, d.open())
	d.waitFor("the first look", func(s Stats) bool { return s.Errors == 1 })
	must(t, d.w.Rotate())
	d.waitFor("the second look", func(s Stats) bool { return s.Compressed == 1 })
	if told := d.told(); len(told) != 1 || !errors.Is(told[0], ErrCorrupt) {
		t.Errorf("told %v", told)
	}
	if !bytes.Equal(d.read(1, suffixLog), log) {
		t.Error("the damaged .log was changed")
	}
}

// An index that does not fit is made again before the frames are cut by it; so are missing files of any sealed segment.
func TestIndexOfSealedSegmentsIsMadeAgain(t *testing.T) {
	for _, compress := range []bool{false, true} {
		d := newDesk(t, Config{})
		d.logs(3)
		must(t, d.close())
		before := d.snapshot()
		must(t, os.Remove(d.path(1, suffixIndex)))
		must(t, os.Remove(d.path(11, suffixWarn)))
		if d.config.Compress = compress; compress {
			d.overwrite(21, suffixIndex, before[fileName(21, suffixIndex)][:50])
		}
		must(t, d.open())
		d.waitFor("the index files", func(Stats) bool { return d.tended() })
		d.holds(1, 40)
		for _, name := range []string{fileName(1, suffixIndex), fileName(11, suffixWarn), fileName(21, suffixIndex)} {
			if b, _ := os.ReadFile(d.config.Dir + "/" + name); !compress && !bytes.Equal(b, before[name]) {
				t.Errorf("%s is not what it was", name)
			}
		}
		must(t, d.close())
		for _, s := range openDir(t, d.config.Dir).Segments() {
			if r, err := s.Verify(context.Background(), nil); err != nil || !r.OK() || r.NoIndex || r.NoPostings {
				t.Errorf("segment %d: %+v %v", s.Base(), r, err)
			}
		}
	}
}

func TestOldSegmentsGo(t *testing.T) {
	size := int64(0)
	for _, c := range []struct {
		name string
		keep func(*Config)
		want []uint64 // bases that stay, of 1 11 21 31 41 51, the last being written
	}{
		{"all", func(*Config) {}, []uint64{1, 11, 21, 31, 41, 51}},
		{"three segments", func(c *Config) { c.KeepSegments = 3 }, []uint64{31, 41, 51}},
		{"one segment", func(c *Config) { c.KeepSegments = 1 }, []uint64{51}},
		{"a byte less than all", func(c *Config) { c.KeepBytes = size - 1 }, []uint64{11, 21, 31, 41, 51}},
		{"all bytes", func(c *Config) { c.KeepBytes = size }, []uint64{1, 11, 21, 31, 41, 51}},
		{"one byte", func(c *Config) { c.KeepBytes = 1 }, []uint64{51}},
		{"one hour", func(c *Config) { c.KeepAge = time.Hour }, []uint64{21, 31, 41, 51}},
		{"a minute", func(c *Config) { c.KeepAge = time.Minute }, []uint64{51}},
	} {
		d := newDesk(t, Config{})
		d.logs(5)
		must(t, d.close())
		size = 0
		for name, b := range d.snapshot() {
			size += int64(len(b))
			age := 30 * time.Minute
			if base, _, _ := parseName(name); base < 21 {
				age = 2 * time.Hour
			}
			must(t, os.Chtimes(d.config.Dir+"/"+name, time.Time{}, time.Now().Add(-age)))
		}
		c.keep(&d.config)
		must(t, d.open())
		d.waitFor(c.name, func(s Stats) bool { return s.Removed == uint64(6-len(c.want)) && s.Segments == len(c.want) })
		var want []string
		for _, base := range c.want {
			for _, suffix := range []string{suffixIndex, suffixLog, suffixWarn} {
				want = append(want, fileName(base, suffix))
			}
		}
		if !slices.Equal(d.names(), want) {
			t.Errorf("%s: %q stay, want %q", c.name, d.names(), want)
		}
		d.put(1)
		d.holds(c.want[0], 61)
		must(t, d.close())
	}
}

// The strictest limits leave the newest segment until the next has a record: with no file, indexes would begin again.
func TestNewestSegmentStaysUntilTheNextHasARecord(t *testing.T) {
	for name, keep := range map[string]func(*Config){
		"segments": func(c *Config) { c.KeepSegments = 1 },
		"bytes":    func(c *Config) { c.KeepBytes = 1 },
		"age":      func(c *Config) { c.KeepAge = 1 },
	} {
		d := newDesk(t, Config{})
		d.logs(1)
		must(t, d.w.Rotate())
		must(t, d.close())
		keep(&d.config)
		must(t, d.open())
		d.waitFor(name, func(s Stats) bool { return s.Removed == 1 && s.Segments == 1 })
		d.reopen()
		if d.w.Next() != 21 {
			t.Errorf("%s: next %d, want 21", name, d.w.Next())
		}
		d.put(1)
		d.waitFor(name, func(s Stats) bool { return s.Removed == 1 && s.Segments == 1 })
		d.holds(21, 21)
	}
}

// A kill between the removals of one segment's files leaves a whole one: nothing is told of it as damage, and it goes.
func TestRemovalThatIsCutShortLeavesNoDamage(t *testing.T) {
	f := newFaultFS()
	d := newDesk(t, Config{FS: f})
	d.logs(2)
	must(t, d.close())
	var removed []string
	f.set(nil, func(op, name string) error {
		if op == "remove" {
			removed = append(removed, name)
		}
		return nil
	})
	all, _, err := list(&d.config)
	must(t, err)
	before := d.snapshot()
	must(t, removeSegment(&d.config, &all[0]))
	f.set(nil, nil)
	for n := range len(removed) {
		for _, alone := range []bool{false, true} {
			d.restore(before)
			for base := uint64(11); alone && base <= 21; base += 10 {
				for _, suffix := range []string{suffixLog, suffixIndex, suffixWarn} {
					must(t, os.Remove(d.path(base, suffix)))
				}
			}
			for _, name := range removed[:n] {
				must(t, os.Remove(d.config.Dir+"/"+name))
			}
			must(t, d.open())
			if len(d.found.Damaged) > 0 || d.found.Behind > 0 || len(d.found.Removed) > 0 {
				t.Errorf("%d files removed, the others gone %v: found %+v", n, alone, d.found)
			}
			must(t, d.close())
		}
	}
}

// Limits hold while the log is written, and a removal that fails is told of and tried again.
func TestRetentionGoesOn(t *testing.T) {
	f := newFaultFS()
	d := newDesk(t, Config{FS: f, KeepSegments: 3, Compress: true})
	d.logs(10)
	d.waitFor("retention", func(s Stats) bool { return s.Removed == 8 && s.Segments == 3 && d.tended() })
	d.holds(81, 110)
	f.set(nil, func(op, name string) error {
		if op == "remove" && strings.HasSuffix(name, suffixWarn) {
			return syscall.EIO
		}
		return nil
	})
	must(t, d.w.Rotate())
	d.put(10)
	d.waitFor("the failure", func(s Stats) bool { return s.Errors == 1 })
	if told := d.told(); !errors.Is(told[0], syscall.EIO) {
		t.Errorf("told %v", told)
	}
	if names := d.data(); names[0] != fileName(81, suffixZstd) {
		t.Errorf("%q stay: the data go last", names)
	}
	f.set(nil, nil)
	must(t, d.w.Rotate())
	d.put(10)
	d.waitFor("the next look", func(s Stats) bool { return s.Segments == 3 && d.tended() && len(d.names()) == 9 })
	d.holds(101, 130)
}

func TestCloseEndsTheBackgroundInTheMiddle(t *testing.T) {
	f := newFaultFS()
	d := newDesk(t, Config{FS: f, Compress: true})
	d.putBig(100)
	begun, goOn := make(chan struct{}), make(chan struct{})
	f.set(func(name string, b []byte, _ int64) (int, error) {
		if strings.HasSuffix(name, suffixZstd+suffixTemp) {
			begun <- struct{}{}
			<-goOn
		}
		return len(b), nil
	}, nil)
	must(t, d.w.Rotate())
	<-begun
	closed, quit := make(chan error), d.w.back.quit
	go func() { closed <- d.close() }()
	<-quit
	close(goOn)
	must(t, <-closed)
	if want := fmt.Sprint([]string{fileName(1, suffixIndex), fileName(1, suffixLog), fileName(1, suffixWarn)}); fmt.Sprint(d.names()) != want {
		t.Errorf("files %q, want %s", d.names(), want)
	}
	f.set(nil, nil)
	must(t, d.open())
	d.holds(1, 100)
}

// A compressed segment whose index has still the first form gets the packed one, and the same as at its compression.
func TestIndexOfOldFormIsPacked(t *testing.T) {
	d := newDesk(t, Config{})
	d.logs(1)
	must(t, d.close())
	first := d.read(1, suffixIndex)
	d.config.Compress = true
	must(t, d.open())
	d.waitFor("compression", func(Stats) bool { return d.tended() && d.data()[0] == fileName(1, suffixZstd) })
	must(t, d.close())
	packed := d.read(1, suffixIndex)
	if bytes.Equal(first, packed) || string(packed[:8]) != packedMagic {
		t.Fatalf("an index of %d bytes that begins with %q", len(packed), packed[:8])
	}
	for name, old := range map[string][]byte{"first form": first, "cut": first[:5]} {
		d.overwrite(1, suffixIndex, old)
		must(t, d.open())
		d.waitFor("the index", func(Stats) bool { return d.tended() && bytes.Equal(d.read(1, suffixIndex), packed) })
		d.holds(1, 20)
		must(t, d.close())
		if len(d.told()) != 0 {
			t.Errorf("%s: told %v", name, d.told())
		}
	}
}
