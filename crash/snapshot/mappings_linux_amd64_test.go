package snapshot

import (
	"reflect"
	"strings"
	"testing"
)

const smaps = `00400000-00552000 r-xp 00001000 fe:00 10229130                           /tmp/a (deleted) b
Size:               1352 kB
Rss:                1224 kB
Anonymous:             4 kB
Swap:                  8 kB
VmFlags: rd ex mr mw me
c000000000-c000400000 rw-p 00000000 00:00 0
Rss:                 672 kB
VmFlags: rd wr mr mw me ac dd dc
7ffe-zz rw-p nonsense
7fff00000000-7fff00001000 rw-s 00000000 00:0f 7                          /dev/shm/x
VmFlags: io
`

func TestScanMappings(t *testing.T) {
	var got []mapping
	if err := scanMappings(strings.NewReader(smaps), func(m mapping) bool { got = append(got, m); return true }); err != nil {
		t.Fatal(err)
	}
	want := []mapping{
		{start: 0x400000, end: 0x552000, offset: 0x1000, permissions: "r-xp", inode: true, name: "/tmp/a (deleted) b", resident: 1232 << 10, anonymous: 12 << 10},
		{start: 0xc000000000, end: 0xc000400000, permissions: "rw-p", resident: 672 << 10, notDumped: true, notInherited: true},
		{start: 0x7fff00000000, end: 0x7fff00001000, permissions: "rw-s", inode: true, name: "/dev/shm/x", notDumped: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got[0].writable() || !got[0].executable() || !got[0].private() || got[2].private() || !got[2].writable() || got[1].fromFile() {
		t.Errorf("permissions are read wrong: %+v", got)
	}
}

func FuzzScanMappings(f *testing.F) {
	f.Add(smaps)
	f.Add("0-1 r 0 0 0\nRss: 99999999999999999999 kB\n")
	f.Fuzz(func(t *testing.T, text string) {
		_ = scanMappings(strings.NewReader(text), func(m mapping) bool {
			if m.end <= m.start {
				t.Errorf("mapping ends at %x before it begins at %x", m.end, m.start)
			}
			_, _, _, _, _ = m.private(), m.readable(), m.writable(), m.executable(), m.fromFile()
			return true
		})
	})
}
