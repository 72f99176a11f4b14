package lockfree

// A mutant is a structure with one mistake in it, the kind that tests of one
// goroutine never notice. The checker has to find each: a checker that does
// not would not find the mistake in the real code either.
//
// Mutants are not written by hand: they are the real source with edits,
// made by the generator in variants_test.go, and cannot fall behind it.
type mutant struct {
	name  string
	edits []edit
}

// An edit replaces one piece of source, in every place where it stands.
type edit struct{ from, to string }

// subject is a source file and its mutants.
type subject struct {
	file    string // under test
	typ     string // declared there
	generic bool
	mutants []mutant
}

func subjects() []subject {
	return []subject{
		{file: "stack.go", typ: "Stack", mutants: stackMutants()},
		{file: "mpmc.go", typ: "MPMC", generic: true, mutants: mpmcMutants()},
		{file: "mpsc.go", typ: "MPSC", generic: true, mutants: mpscMutants()},
		{file: "spsc.go", typ: "SPSC", generic: true, mutants: spscMutants()},
	}
}

func stackMutants() []mutant {
	return []mutant{
		{"Untagged", []edit{ // ABA: the head looks the same and is not.
			{"popped(old, ", "untagged(old, "},
		}},
		{"LinkedLate", []edit{ // The index is visible before its link is written.
			{`		link.Store(uint32(old & indexMask))
		yield(beforeSwap)
		if s.head.CompareAndSwap(old, old&^indexMask|uint64(i+1)) {
`, `		if s.head.CompareAndSwap(old, old&^indexMask|uint64(i+1)) {
			yield(beforePublish)
			link.Store(uint32(old & indexMask))
`},
		}},
		{"PushedBlindly", []edit{ // A store in place of the swap.
			{"if s.head.CompareAndSwap(old, old&^indexMask|uint64(i+1)) {",
				"if s.head.Store(old&^indexMask | uint64(i+1)); true {"},
		}},
		{"ChainHeadLost", []edit{ // The chain is linked to a head that was read before others moved it.
			{`	for {
		old := s.head.Load()
		bottom.Store(uint32(old & indexMask))
		yield(beforeSwap)
`, `	bottom.Store(uint32(s.head.Load() & indexMask))
	for {
		yield(beforeSwap)
		old := s.head.Load()
`},
		}},
	}
}

// untagged is popped without the tag.
func untagged(old uint64, below uint32) uint64 {
	return old&^indexMask | uint64(below)
}

func mpmcMutants() []mutant {
	return []mutant{
		{"PublishedEarly", []edit{ // The cell is handed on before its value is written.
			{`			cell.value = v
			yield(beforePublish)
			cell.turn.Store(pos + 1)
`, `			cell.turn.Store(pos + 1)
			yield(beforePublish)
			cell.value = v
`},
		}},
		{"BatchPublishedEarly", []edit{
			{`		cell.value = v
		yield(beforePublish)
		cell.turn.Store(pos + uint64(i) + 1)
`, `		cell.turn.Store(pos + uint64(i) + 1)
		yield(beforePublish)
		cell.value = v
`},
		}},
		{"ReleasedEarly", []edit{ // The cell is given back before its value is read.
			{`	v, cell.value = cell.value, zero
	yield(beforeRelease)
	cell.turn.Store(pos + uint64(len(q.cells)))
`, `	cell.turn.Store(pos + uint64(len(q.cells)))
	yield(beforeRelease)
	v, cell.value = cell.value, zero
`},
		}},
		{"WrongMask", []edit{ // Two positions of one lap share a cell.
			{"mask: uint64(capacity - 1)", "mask: uint64(capacity/2 - 1)"},
		}},
		{"ClaimedBlindly", []edit{ // A store in place of the swap: two producers claim one cell.
			{"if d == 0 && q.tail.CompareAndSwap(pos, pos+1) {", "if d == 0 {\nq.tail.Store(pos + 1)"},
		}},
		{"BatchUnchecked", []edit{ // Only the first cell of a batch is known to be free.
			{"n := q.inTurn(pos, pos, len(vs))", "n := q.inTurn(pos, pos, min(1, len(vs))) * len(vs)"},
		}},
	}
}

func mpscMutants() []mutant {
	return []mutant{
		{"PublishedEarly", []edit{
			{`	cell.value = v
	cell.count = 1
	yield(beforePublish)
	cell.ready.Store(pos + 1)
`, `	cell.count = 1
	cell.ready.Store(pos + 1)
	yield(beforePublish)
	cell.value = v
`},
		}},
		{"CountedLate", []edit{ // The run is visible before its length.
			{`	first.count = uint64(n)
	yield(beforePublish)
	first.ready.Store(pos + 1)
`, `	first.ready.Store(pos + 1)
	yield(beforePublish)
	first.count = uint64(n)
`},
		}},
		{"WrongMask", []edit{
			{"mask: uint64(capacity - 1)", "mask: uint64(capacity/2 - 1)"},
		}},
		{"ClaimedBlindly", []edit{
			{"if q.tail.CompareAndSwap(pos, pos+uint64(n)) {", "if q.tail.Store(pos + uint64(n)); true {"},
		}},
		{"ReleasedEarly", []edit{ // Producers get the cells back before their values are read.
			{`	n := 0
	for n < len(dst) {
`, `	n := 0
	q.head.Store(head + uint64(len(dst)))
	yield(beforeRelease)
	for n < len(dst) {
`},
		}},
		{"FullByHearsay", []edit{ // Head is read once, before the tail it is compared with.
			{`	for {
		pos = q.tail.Load()
`, `	for head := q.head.Load(); ; {
		yield(beforeRetry)
		pos = q.tail.Load()
`},
			{"int64(q.head.Load()+uint64(len(q.cells)))", "int64(head+uint64(len(q.cells)))"},
		}},
	}
}

func spscMutants() []mutant {
	return []mutant{
		{"PublishedEarly", []edit{
			{`	q.cells[tail&q.mask] = v
	yield(beforePublish)
	q.tail.Store(tail + 1)
`, `	q.tail.Store(tail + 1)
	yield(beforePublish)
	q.cells[tail&q.mask] = v
`},
		}},
		{"ReleasedEarly", []edit{
			{`	v, *cell = *cell, zero
	yield(beforeRelease)
	q.head.Store(head + 1)
`, `	q.head.Store(head + 1)
	yield(beforeRelease)
	v, *cell = *cell, zero
`},
		}},
		{"BatchReleasedEarly", []edit{
			{`	q.drain(dst[:n], head)
	yield(beforeRelease)
	q.head.Store(head + uint64(n))
`, `	q.head.Store(head + uint64(n))
	yield(beforeRelease)
	q.drain(dst[:n], head)
`},
		}},
		{"WrongMask", []edit{
			{"mask: uint64(capacity - 1)", "mask: uint64(capacity/2 - 1)"},
		}},
		{"NeverLooksAgain", []edit{ // The consumer's position is read once and for all.
			{"if free < uint64(want) {", "if free < uint64(want) && q.headSeen == 0 {"},
		}},
	}
}
