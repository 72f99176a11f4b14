package segment

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"vitrine/logx/record"
)

func sampleBlock() Block {
	return Block{
		First: 900, Count: 3, Offset: 40, Length: 70_000, MinTime: -5, MaxTime: math.MaxInt64,
		Types: 1<<63 | 1, Levels: record.AtLeast(record.Warn), number: 7,
	}
}

func TestEntryComesBack(t *testing.T) {
	b, f := sampleBlock(), sessionFilter{}
	f.add(mix(11))
	p := appendEntry(nil, &b, &f)
	got, filter, err := parseEntry(p, 7)
	if err != nil || got != b || *filter != f || len(p) != 272 {
		t.Errorf("got %+v %v in %d bytes, want %+v", got, err, len(p), b)
	}
}

// Any changed bit of an entry is noticed.
func TestEntryNoticesDamage(t *testing.T) {
	b := sampleBlock()
	p := appendEntry(nil, &b, &sessionFilter{})
	for bit := range len(p) * 8 {
		p[bit/8] ^= 1 << (bit % 8)
		if _, _, err := parseEntry(p, 0); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("bit %d: %v", bit, err)
		}
		p[bit/8] ^= 1 << (bit % 8)
	}
	if _, _, err := parseEntry(p[:271], 0); !errors.Is(err, ErrCorrupt) {
		t.Errorf("short: %v", err)
	}
}

// A right checksum does not make an entry possible.
func TestEntryRefusesImpossibleBlocks(t *testing.T) {
	cases := map[string]func(*Block){
		"no records":       func(b *Block) { b.Count = 0 },
		"too many records": func(b *Block) { b.Count = 70_000/record.HeadBytes + 1 },
		"too long":         func(b *Block) { b.Length = MaxBlockBytes },
		"beyond 4 GiB":     func(b *Block) { b.Offset = math.MaxUint32 - 1000 },
		"index overflow":   func(b *Block) { b.First = math.MaxUint64 - 1 },
		"times crossed":    func(b *Block) { b.MinTime, b.MaxTime = 2, 1 },
	}
	for name, spoil := range cases {
		b := sampleBlock()
		spoil(&b)
		if _, _, err := parseEntry(appendEntry(nil, &b, &sessionFilter{}), 0); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIndexPlacesFitTogether(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 257, 511, 512, 513, MaxBlocks} {
		size := entryOffset(n)
		if got := entriesIn(size); got != n {
			t.Errorf("%d entries end at %d, which holds %d", n, size, got)
		}
		if got := entriesIn(size + entryBytes - 1); got != n {
			t.Errorf("%d entries and a part: %d", n, got)
		}
	}
	for _, n := range []int{128, 255, 256 + 200, 7*256 + 254} {
		entries, filters := countEntries(entryOffset(n) + groupFilterSize)
		if entries != n || filters != n/groupBlocks+1 {
			t.Errorf("%d entries with a last filter: %d, and %d filters", n, entries, filters)
		}
	}
	if filterOffset(0) != entryOffset(255)+entryBytes || entryOffset(256) != filterOffset(0)+groupFilterSize {
		t.Errorf("filter 0 at %d, entry 256 at %d", filterOffset(0), entryOffset(256))
	}
	if entryOffset(MaxBlocks) != maxIndexBytes {
		t.Errorf("a full index has %d bytes, the limit is %d", entryOffset(MaxBlocks), maxIndexBytes)
	}
}

func TestFiltersForgetNobody(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 10, 200, 3000} {
		var block sessionFilter
		var group groupFilter
		var added []uint64
		for i := range n {
			s := random.Uint64()
			if i%2 == 0 {
				s = uint64(i) // ids that count up
			}
			added = append(added, s)
			block.add(mix(s))
			group.add(mix(s))
		}
		for _, s := range added {
			if !block.maybe(mix(s)) || !group.maybe(mix(s)) {
				t.Fatalf("session %d of %d is forgotten", s, n)
			}
		}
	}
}

// The rates are those of the theory: (1-e^(-kn/m))^k, for random ids and for ids that count up.
func TestFiltersRarelyErr(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for name, id := range map[string]func(i int) uint64{
		"random":   func(int) uint64 { return random.Uint64() },
		"counting": func(i int) uint64 { return 1<<40 + uint64(i) },
	} {
		var block sessionFilter
		var group groupFilter
		for i := range 6000 {
			if i < 300 {
				block.add(mix(id(i)))
			}
			group.add(mix(id(i)))
		}
		blockErrs, groupErrs := 0, 0
		const asked = 100_000
		for i := range asked {
			hash := mix(id(1_000_000 + i))
			if block.maybe(hash) {
				blockErrs++
			}
			if group.maybe(hash) {
				groupErrs++
			}
		}
		if b, g := float64(blockErrs)/asked, float64(groupErrs)/asked; b > 0.10 || g > 0.009 {
			t.Errorf("%s: block %.3f, group %.4f false; want 0.084 and 0.006", name, b, g)
		}
	}
}

func TestGroupFilterComesBack(t *testing.T) {
	var f groupFilter
	f.add(mix(9))
	p := appendGroupFilter(nil, &f)
	got, err := parseGroupFilter(p)
	if err != nil || *got != f || len(p) != 8200 {
		t.Fatalf("%v in %d bytes", err, len(p))
	}
	for _, at := range []int{0, 3, 4, 8, 5000, 8199} {
		p[at] ^= 16
		if _, err := parseGroupFilter(p); !errors.Is(err, ErrCorrupt) {
			t.Errorf("byte %d: %v", at, err)
		}
		p[at] ^= 16
	}
}

func TestPostingComesBack(t *testing.T) {
	for _, want := range []Posting{
		{Index: 5000, Offset: 77, Level: record.Warn, Type: 63},
		{Index: 1 << 40, Offset: math.MaxUint32, Level: record.System, Copy: bytes.Repeat([]byte{7}, maxCopyBytes)},
	} {
		base := want.Index - 3
		p := appendPosting(nil, base, &want)
		got, err := parsePosting(p, base)
		if err != nil || got.Index != want.Index || got.Offset != want.Offset || got.Level != want.Level ||
			got.Type != want.Type || !bytes.Equal(got.Copy, want.Copy) || postingSize(append(p, 1, 2)) != len(p) {
			t.Errorf("got %+v %v, want %+v", got, err, want)
		}
		for i := range p {
			p[i] ^= 0x10
			if _, err := parsePosting(p, base); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("byte %d: %v", i, err)
			}
			p[i] ^= 0x10
		}
		if postingSize(p[:len(p)-1]) != 0 || postingSize(nil) != 0 {
			t.Error("a part of an entry has a size")
		}
	}
}

// Copies stop at the budget and go on when the data have grown.
func TestCopiesKeepTheirBudget(t *testing.T) {
	cases := []struct {
		level  record.Level
		size   int
		offset uint32
		copied int64
		want   bool
	}{
		{record.Error, 100, 40, 0, true},
		{record.System, 1024, 40, 0, true},
		{record.Warn, 100, 40, 0, false},
		{record.Error, 1025, 40, 0, false},
		{record.Error, 100, 40, copyFloorBytes - 100, true},
		{record.Error, 100, 40, copyFloorBytes - 99, false},
		{record.Error, 100, 1 << 20, copyFloorBytes + 1024 - 100, true},
	}
	for _, c := range cases {
		if got := copies(c.level, c.size, c.offset, c.copied); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestFrameTableComesBack(t *testing.T) {
	offsets := []uint64{0, 40, 9000, 9100}
	file := appendFrameTable(make([]byte, 9100), offsets)
	got, err := readFrameTable(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(got) != 4 || got[3] != 9100 || got[1] != 40 {
		t.Fatalf("%v %v", got, err)
	}
	for i := 9100; i < len(file); i++ {
		file[i] ^= 4
		if _, err := readFrameTable(bytes.NewReader(file), int64(len(file))); !errors.Is(err, ErrCorrupt) {
			t.Errorf("byte %d: %v", i, err)
		}
		file[i] ^= 4
	}
}

func TestFrameTableRefusesImpossibleFrames(t *testing.T) {
	for name, offsets := range map[string][]uint64{
		"first not 0":    {1, 40, 100},
		"descending":     {0, 60, 40, 100},
		"empty frame":    {0, 40, 40, 100},
		"too long":       {0, 40, 41 + maxFrameBytes},
		"end elsewhere":  {0, 40, 99},
		"one frame only": {0, 100},
	} {
		file := appendFrameTable(make([]byte, max(100, 0)), offsets)
		if _, err := readFrameTable(bytes.NewReader(file), int64(len(file))); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
