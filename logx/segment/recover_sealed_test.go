package segment

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// The data of a sealed last segment are damaged and do not give its index any more: the log goes on behind it.
func TestDamageOfASealedSegmentDoesNotStopTheLog(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(3000)
	must(t, d.w.Rotate())
	must(t, d.close())
	log := d.read(1, suffixLog)
	log[len(log)/2] ^= 1
	d.overwrite(1, suffixLog, log)
	must(t, os.Remove(d.path(1, suffixIndex)))
	must(t, d.open())
	if d.w.Next() != 3001 || len(d.found.Rebuilt) != 0 {
		t.Errorf("next %d, want 3001; found %+v", d.w.Next(), d.found)
	}
	if told := d.found.Damaged; len(told) != 1 || told[0].File != fileName(1, suffixLog) || !errors.Is(told[0].Err, ErrCorrupt) {
		t.Errorf("told %+v", told)
	}
	d.put(5)
	must(t, d.close())
	if !bytes.Equal(d.read(1, suffixLog), log) {
		t.Error("the damaged .log was changed")
	}
}
