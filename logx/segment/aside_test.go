package segment

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"vitrine/logx/record"
)

// Damage in the first record of a log, whatever is known of its blocks: the rest is kept, and its indexes are not used
// again, also when the owner that found it writes nothing.
func TestDamagedFirstRecordKeepsTheRest(t *testing.T) {
	for name, c := range map[string]struct {
		records int
		remove  []string
	}{
		"no block":      {100, nil},
		"one block":     {700, nil},
		"no index":      {3000, []string{suffixIndex}},
		"nothing known": {3000, []string{suffixIndex, suffixWarn}},
	} {
		d := newDesk(t, Config{})
		d.put(c.records)
		must(t, d.close())
		damaged := flipped(d.read(1, suffixLog), headerBytes+record.HeadBytes+1)
		d.overwrite(1, suffixLog, damaged)
		for _, suffix := range c.remove {
			must(t, os.Remove(d.path(1, suffix)))
		}
		must(t, d.open())
		if d.found.Aside != d.path(1, suffixAside) || d.found.CutBytes != int64(len(damaged)) || len(d.found.Removed) != 0 {
			t.Errorf("%s: found %+v", name, d.found)
		}
		if want := []string{fileName(1, suffixAside)}; !bytes.Equal(d.read(1, suffixAside), damaged) || !slices.Equal(d.names(), want) {
			t.Errorf("%s: the directory has %q, want %q as the .log was", name, d.names(), want)
		}
		for range 2 {
			if d.w.Next() != uint64(c.records+1) {
				t.Errorf("%s: next %d, want %d", name, d.w.Next(), c.records+1)
			}
			d.reopen()
		}
		d.put(5)
		d.reopen()
		d.holds(uint64(c.records+1), uint64(c.records+5))
	}
}

// A record that is torn may hold the bytes of others in its message: they are kept, and it is for the ring of the last owner
// to tell whether they count.
func TestRecordsWithinATornOneAreLeftToTheRing(t *testing.T) {
	for _, records := range []int{0, 10} {
		d := newDesk(t, Config{})
		d.put(10)
		must(t, d.w.Rotate())
		d.put(records)
		due := d.w.Next()
		inner := record.Append(nil, &record.Head{Index: 50, Level: record.Info}, payloadOf(50))
		h := headOf(due)
		d.w.Add(&h, record.AppendPayload(nil, nil, nil, string(inner)+strings.Repeat("m", 1000), nil))
		must(t, d.close())
		log := d.read(11, suffixLog)
		d.overwrite(11, suffixLog, log[:len(log)-500])
		if records == 0 { // nothing was written behind the first record
			must(t, os.Remove(d.path(11, suffixIndex)))
			must(t, os.Remove(d.path(11, suffixWarn)))
		}
		must(t, d.takeOver())
		if d.w.Next() != due || d.found.Behind != 51 || d.found.Aside != d.path(11, suffixAside) {
			t.Errorf("next %d, want %d; found %+v", d.w.Next(), due, d.found)
		}
		d.put(5) // as the ring had it
		d.reopen()
		if d.found.Behind != 0 || len(d.found.Damaged) != 0 {
			t.Errorf("found again: %+v", d.found)
		}
		d.holds(1, due+4)
	}
}

// Each damage of a segment has its own file, as far as there are names: then the last one is replaced.
func TestMoreDamageKeepsWhatWasSetAside(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(100)
	must(t, d.close())
	log := d.read(1, suffixLog)
	at := starts(t, log)
	var kept [][]byte
	for n := 1; n <= maxAside+1; n++ {
		damaged := flipped(log, at[100-n]+record.HeadBytes)
		d.overwrite(1, suffixLog, damaged)
		d.overwrite(1, suffixIndex, nil)
		d.overwrite(1, suffixWarn, nil)
		must(t, d.open())
		if want := d.path(1, asideSuffix(min(n, maxAside))); d.found.Aside != want {
			t.Fatalf("damage %d is kept in %q, want %q", n, d.found.Aside, want)
		}
		must(t, d.close())
		kept = append(kept, damaged[at[100-n]:])
	}
	kept = slices.Delete(kept, maxAside-1, maxAside)
	for i, want := range kept {
		if !bytes.Equal(d.read(1, asideSuffix(i+1)), want) {
			t.Errorf("%s has other bytes than were set aside", fileName(1, asideSuffix(i+1)))
		}
	}
}

// What was set aside goes with its segment.
func TestAsideIsRemovedWithItsSegment(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(10)
	must(t, d.close())
	for n := 1; n <= 3; n++ {
		d.overwrite(1, asideSuffix(n), []byte("set aside"))
	}
	d.config.KeepSegments = 1
	must(t, d.open())
	must(t, d.w.Rotate())
	d.put(10)
	d.waitFor("the removal", func(s Stats) bool { return s.Removed == 1 })
	for _, name := range d.names() {
		if strings.HasPrefix(name, fileName(1, "")) {
			t.Errorf("%s stays", name)
		}
	}
}

// A segment of which only damage is left counts as one, and goes when it is the oldest.
func TestAsideWithoutASegmentIsRemoved(t *testing.T) {
	for name, limit := range map[string]func(*Config){
		"by number": func(c *Config) { c.KeepSegments = 2 },
		"by bytes":  func(c *Config) { c.KeepBytes = 4000 },
	} {
		d := newDesk(t, Config{})
		must(t, d.w.Skip(50))
		d.put(10)
		must(t, d.close())
		for n := 1; n <= 2; n++ {
			d.overwrite(1, asideSuffix(n), make([]byte, 4000))
		}
		limit(&d.config)
		must(t, d.open())
		must(t, d.w.Rotate())
		d.put(1)
		d.waitFor("the removal", func(s Stats) bool { return s.Removed == 1 })
		if names := d.names(); names[0] != fileName(50, suffixIndex) {
			t.Errorf("%s: %q", name, names)
		}
	}
}
