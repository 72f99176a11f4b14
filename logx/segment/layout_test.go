package segment

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestHeaderComesBack(t *testing.T) {
	for _, custom := range [][]string{nil, {"quest"}, {"a", "bc", "def"}, slices.Repeat([]string{strings.Repeat("n", 32)}, maxCustom)} {
		h := header{store: testStore, base: 4711, created: -5, custom: custom}
		b, err := appendHeader([]byte("before"), &h)
		must(t, err)
		b = b[len("before"):]
		got, err := parseHeader(append(b, "records"...))
		must(t, err)
		if h.size = len(b); got.store != h.store || got.base != h.base || got.created != h.created || got.size != h.size || !slices.Equal(got.custom, custom) {
			t.Errorf("%d names: %+v", len(custom), got)
		}
		if len(b)%8 != 0 || len(b) > MaxHeaderBytes {
			t.Errorf("%d names: %d bytes", len(custom), len(b))
		}
	}
}

func TestHeaderOfGoldenBytes(t *testing.T) {
	b, err := appendHeader(nil, &header{store: 0x0807060504030201, base: 1, created: 2, custom: []string{"quest"}})
	must(t, err)
	want := "VTRNLOG1" + "\x30\x00\x00\x00" + "\xf5\x23\xeb\xa7" + "\x01\x02\x03\x04\x05\x06\x07\x08" +
		"\x01\x00\x00\x00\x00\x00\x00\x00" + "\x02\x00\x00\x00\x00\x00\x00\x00" + "\x10\x05quest\x00"
	if string(b) != want {
		t.Errorf("got  %q\nwant %q", b, want)
	}
}

func TestFooterOfGoldenBytes(t *testing.T) {
	b := appendFooter(nil, &footer{count: 1, last: 2, minTime: 3, maxTime: 4, offset: 5, index: 6, warn: 7})
	want := "\x00\x00\x00\x00" + "\xe8\x85\x49\x05" + "VTRNSEAL" + "\x01\x00\x00\x00\x00\x00\x00\x00" + "\x02\x00\x00\x00\x00\x00\x00\x00" +
		"\x03\x00\x00\x00\x00\x00\x00\x00" + "\x04\x00\x00\x00\x00\x00\x00\x00" + "\x05\x00\x00\x00\x00\x00\x00\x00" + "\x06\x00\x00\x00\x07\x00\x00\x00"
	if string(b) != want {
		t.Errorf("got  %q\nwant %q", b, want)
	}
}

func TestHeaderNoticesDamage(t *testing.T) {
	good, err := appendHeader(nil, &header{store: 1, base: 2, created: 3, custom: []string{"quest", "guild"}})
	must(t, err)
	for i := range good {
		if _, err := parseHeader(good[:i]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut at byte %d: %v", i, err)
		}
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			if _, err := parseHeader(b); !errors.Is(err, ErrCorrupt) {
				t.Errorf("flip of bit %d in byte %d: %v", bit, i, err)
			}
		}
	}
}

// Names that no writer writes are refused whatever the checksum says.
func TestHeaderRefusesImpossibleNames(t *testing.T) {
	for name, names := range map[string]string{
		"first is not 16": "\x11\x01a\x00\x00\x00\x00\x00", "no length": "\x10\x00\x00\x00\x00\x00\x00\x00",
		"too long": "\x10\x07abcdef", "bytes behind": "\x10\x01a\x00\x00\x00\x00b", "twice": "\x10\x01a\x10\x01a\x00\x00",
		"cut in a number": "\x10\x05abcde\x11",
	} {
		b, err := appendHeader(nil, &header{})
		must(t, err)
		b = append(b, names...)
		order.PutUint32(b[8:], uint32(len(b)))
		order.PutUint32(b[12:], sum(b[16:]))
		if _, err := parseHeader(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, custom := range [][]string{{""}, {strings.Repeat("x", 256)}, make([]string, 49), slices.Repeat([]string{strings.Repeat("x", 100)}, 48)} {
		if _, err := appendHeader(nil, &header{custom: custom}); err == nil {
			t.Errorf("%d names were taken", len(custom))
		}
	}
}

func TestFooterNoticesDamage(t *testing.T) {
	want := footer{count: 10, last: 20, minTime: -1, maxTime: 1 << 60, offset: 5000, index: 1, warn: 2}
	good := appendFooter(nil, &want)
	if got, ok := parseFooter(good, 5000); !ok || got != want {
		t.Errorf("%+v %v", got, ok)
	}
	if _, ok := parseFooter(good, 5001); ok {
		t.Error("a footer was taken at another place than its own")
	}
	for i := range good {
		if _, ok := parseFooter(good[:i], 5000); ok {
			t.Errorf("taken when cut at byte %d", i)
		}
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			if _, ok := parseFooter(b, 5000); ok {
				t.Errorf("taken with a flip of bit %d in byte %d", bit, i)
			}
		}
	}
}

func TestNamesOfFiles(t *testing.T) {
	for _, suffix := range []string{suffixLog, suffixZstd, suffixIndex, suffixWarn, suffixAside, ".cut.2", ".cut.9", ".cut.2.tmp", suffixZstd + suffixTemp} {
		name := fileName(4711, suffix)
		if base, got, ok := parseName(name); !ok || base != 4711 || got != suffix {
			t.Errorf("%s: base %d, suffix %q, %v", name, base, got, ok)
		}
	}
	if got := fileName(18446744073709551615, suffixLog); got != "18446744073709551615.log" {
		t.Errorf("largest name %q", got)
	}
	for _, name := range []string{
		"", "LOCK", "1.log", "00000000000000000000.log", "99999999999999999999.log", "00000000000000000001", "00000000000000000001.txt",
		"0000000000000000001x.log", "00000000000000000001.log.gz", "+0000000000000000001.log", "00000000000000000001.tmp",
		"00000000000000000001.cut.1", "00000000000000000001.cut.10", "00000000000000000001.cut.02",
	} {
		if base, suffix, ok := parseName(name); ok {
			t.Errorf("%q is base %d, suffix %q", name, base, suffix)
		}
	}
}

// FuzzHeader holds that what is read as a header is written as the same bytes, and never more than a header may have.
func FuzzHeader(f *testing.F) {
	good, err := appendHeader(nil, &header{store: 1, base: 2, created: 3, custom: []string{"quest", "guild"}})
	must(f, err)
	f.Add(good)
	f.Add(good[:39])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= headerBytes { // the fuzzer does not guess checksums
			size := min(int(order.Uint32(b[8:])), len(b))
			order.PutUint32(b[12:], sum(b[min(16, size):size]))
		}
		h, err := parseHeader(b)
		if err != nil {
			return
		}
		again, err := appendHeader(nil, &h)
		must(t, err)
		if back, err := parseHeader(again); err != nil || back.store != h.store || !slices.Equal(back.custom, h.custom) {
			t.Errorf("%+v came back as %+v, %v", h, back, err)
		}
	})
}
