package segment

import "vitrine/logx/record"

// indexer turns the records of one segment, in order, into the bytes of its index and its postings. The writer feeds
// it as it writes, [Rebuild] and readers feed it from data, so both make the same bytes. It belongs to one goroutine.
//
// The owner takes what is in warn and idx (and sets them to [:0]) and writes them after the data they speak of, and
// warn BEFORE idx: a reader takes the end of the last entry as the place up to which postings are complete.
type indexer struct {
	base    uint64
	block   Block         // being filled; Count 0 when the last record closed one
	session sessionFilter // of block
	group   groupFilter   // of the blocks since the last full group
	last    uint64        // mix of the last session added to both, which saves doing it again; 0, which no session has, for none
	next    uint64        // index after the last record
	blocks  int           // finished
	copied  int64         // bytes of copies in the postings so far
	idx     []byte        // finished entries and filters the owner has not taken; begins with the file's header
	warn    []byte        // the same for postings
	packed  *packer       // makes the packed form too; nil = nobody wants it
}

// newIndexer starts with the first record of a segment whose header has the given size.
func newIndexer(store, base uint64, header int) *indexer {
	return &indexer{
		base: base, next: base, block: Block{Offset: uint32(header)},
		idx: appendIndexHeader(nil, store, base), warn: appendWarnHeader(nil, store, base),
	}
}

// add takes the next record: its head and its bytes as they are on disk.
func (x *indexer) add(h *record.Head, raw []byte) {
	if h.Level >= postingLevel {
		x.post(h, raw)
	}
	if h.Session != 0 {
		if hash := mix(h.Session); hash != x.last {
			x.session.add(hash)
			x.group.add(hash)
			x.last = hash
			if x.packed != nil {
				x.packed.session(hash)
			}
		}
	}
	x.block.add(h, len(raw))
	x.next = h.Index + 1
	if x.block.Length >= BlockBytes {
		x.finish()
	}
}

func (x *indexer) post(h *record.Head, raw []byte) {
	p := Posting{Index: h.Index, Offset: uint32(x.block.end()), Level: h.Level, Type: h.Type}
	if copies(h.Level, len(raw), p.Offset, x.copied) {
		p.Copy = raw
		x.copied += int64(len(raw))
	}
	x.warn = appendPosting(x.warn, x.base, &p)
}

// finish closes the block that is being filled, if it has records: when it is full, and when the segment is sealed.
func (x *indexer) finish() {
	if x.block.Count == 0 {
		return
	}
	x.idx = appendEntry(x.idx, &x.block, &x.session)
	if x.packed != nil {
		x.packed.add(&x.block)
	}
	x.blocks++
	x.session, x.last = sessionFilter{}, 0
	x.block = Block{Offset: x.block.Offset + x.block.Length, number: x.blocks}
	if x.blocks%groupBlocks == 0 {
		x.closeGroup()
	}
}

// seal finishes what the end of the segment finishes: the last block, and the last group, which is seldom full. A filter
// for less than half a group would be large for what it spares.
func (x *indexer) seal() {
	x.finish()
	if x.blocks%groupBlocks >= groupBlocks/2 {
		x.closeGroup()
	}
	if x.packed != nil {
		x.packed.seal()
	}
}

func (x *indexer) closeGroup() {
	x.idx = appendGroupFilter(x.idx, &x.group)
	x.group = groupFilter{}
}
