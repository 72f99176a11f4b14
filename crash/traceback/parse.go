package traceback

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// Parse reads a dump of any level of GOTRACEBACK, with or without labels and frames of C, and what debug.Stack and
// runtime.Stack give. It never fails: lines it does not know are skipped, and a text that holds no dump gives an empty
// one. Any goroutine.
func Parse(text []byte) *Dump {
	p := parser{dump: new(Dump), rest: text, names: map[string]string{}, stacks: map[uint64][]Frame{}}
	for p.next() {
		p.take()
	}
	p.finish()
	return p.dump
}

// part says what the lines that follow belong to.
type part uint8

const (
	outside     part = iota // no stack
	goroutine               // dump.Goroutines' last
	runtimePart             // dump.Runtime
	ignored                 // a stack that is not wanted: of an ancestor, or behind a limit
)

// parser is one reading of a text.
type parser struct {
	dump   *Dump
	rest   []byte // behind line
	line   []byte
	part   part
	frames []Frame            // of the part so far; reused
	hash   maphash.Hash       // of the functions and places of frames
	names  map[string]string  // one string for each name, file and state
	stacks map[uint64][]Frame // by hash, shared by goroutines
	total  int                // frames kept
	weak   bool               // the reason is only a hint: a better one may follow
	relay  map[uint64]int     // once other threads report (level crash): the place of each goroutine so far
}

// next moves to the next line.
func (p *parser) next() bool {
	if len(p.rest) == 0 {
		return false
	}
	p.line, p.rest, _ = bytes.Cut(p.rest, []byte{'\n'})
	p.line = p.trim(p.line)
	return true
}

// peek returns the line after this one.
func (p *parser) peek() []byte {
	line, _, _ := bytes.Cut(p.rest, []byte{'\n'})
	return p.trim(line)
}

func (p *parser) trim(line []byte) []byte {
	if len(line) > lineBytes {
		line, p.dump.Cut = line[:lineBytes], true
	}
	return bytes.TrimSuffix(line, []byte{'\r'})
}

// take reads a line, and those that belong to it.
func (p *parser) take() {
	switch line := p.line; {
	case len(line) == 0:
		p.finish()
	case p.header(line):
	case bytes.HasPrefix(line, []byte("runtime stack:")):
		p.finish()
		p.part = runtimePart
	case bytes.HasPrefix(line, []byte("-----")) && p.relay == nil:
		p.finish()
		p.index()
	case p.part == outside:
		p.why(line)
	case line[0] == '[':
		p.finish()
		p.part = ignored // "[originating from goroutine 5]:", the stack of an ancestor
	case p.part != ignored:
		p.inStack(line)
	}
}

// header begins a goroutine where the line is its header.
func (p *parser) header(line []byte) bool {
	g, labels, ok := parseHeader(line)
	if !ok {
		return false
	}
	p.finish()
	if len(p.dump.Goroutines) >= maxGoroutines {
		p.part, p.dump.Cut = ignored, true
		return true
	}
	g.State = p.intern([]byte(g.State))
	if labels != nil {
		var whole bool
		g.Labels, whole = parseLabels(labels)
		p.dump.Cut = p.dump.Cut || !whole
	}
	p.dump.Goroutines = append(p.dump.Goroutines, g)
	p.part = goroutine
	return true
}

// inStack reads a line of a goroutine, or of the runtime's stack.
func (p *parser) inStack(line []byte) {
	switch {
	case bytes.HasPrefix(line, []byte("...")) && bytes.HasSuffix(line, []byte("frames elided...")):
		if p.part == goroutine {
			p.current().Elided = true
		}
	case bytes.HasPrefix(line, []byte("created by ")):
		p.created(line[len("created by "):])
	case line[0] != '\t' && line[0] != ' ':
		p.frame(line)
	}
}

func (p *parser) current() *Goroutine { return &p.dump.Goroutines[len(p.dump.Goroutines)-1] }

// created reads who made the goroutine: a function, "in goroutine 1", and the place on the line below.
func (p *parser) created(line []byte) {
	name, creator, _ := bytes.Cut(line, []byte(" in goroutine "))
	f := Frame{Func: p.intern(name)}
	if at, ok := parsePlace(p.peek()); ok {
		p.next()
		f.File, f.Line, f.Offset = p.intern(at.file), at.line, at.offset
	}
	if p.part == goroutine {
		g := p.current()
		g.Created = f
		g.Creator, _ = parseUint(creator)
	}
}

// frame reads a function and the place on the line below; a line that no place follows is no frame.
func (p *parser) frame(line []byte) {
	f := Frame{}
	if rest, ok := bytes.CutPrefix(line, []byte(nonGo+" at pc=")); ok {
		f.Func = nonGo
		f.PC, _ = parseHex(rest)
		p.hash.Write(line)
		p.add(f)
		return
	}
	place := p.peek()
	at, ok := parsePlace(place)
	if !ok {
		return
	}
	p.next()
	name, args := splitCall(line)
	f = Frame{Func: p.intern(name), File: p.intern(at.file), Line: at.line, Offset: at.offset, FP: at.fp, SP: at.sp, PC: at.pc}
	if p.detailed() {
		f.Args = string(args[:min(len(args), argsBytes)])
	}
	p.hash.Write(name)
	p.hash.Write(place[:at.fixed])
	p.add(f)
}

func (p *parser) add(f Frame) {
	if len(p.frames) >= maxFrames {
		p.dump.Cut = true
		return
	}
	p.frames = append(p.frames, f)
}

// detailed tells whether the frames of this part are kept as printed.
func (p *parser) detailed() bool { return len(p.dump.Goroutines) <= maxDetailed || p.relay != nil }

// intern returns the one string for a name.
func (p *parser) intern(b []byte) string {
	if s, ok := p.names[string(b)]; ok {
		return s
	}
	s := string(b)
	p.names[s] = s
	return s
}

// finish gives the frames so far to what they belong to, and leaves it.
func (p *parser) finish() {
	switch p.part {
	case goroutine:
		p.current().Frames = p.keep()
		p.merge()
	case runtimePart:
		if p.dump.Runtime == nil {
			p.dump.Runtime = p.keep()
		}
	}
	p.part, p.frames = outside, p.frames[:0]
	p.hash.Reset()
}

// keep returns the frames as their owner keeps them: a copy, or the frames of a goroutine with the same stack.
func (p *parser) keep() []Frame {
	switch {
	case len(p.frames) == 0:
		return nil
	case p.detailed():
		return p.copied()
	}
	for i := range p.frames {
		p.frames[i].FP, p.frames[i].SP = 0, 0
	}
	key := p.hash.Sum64()
	if shared, ok := p.stacks[key]; ok && slices.Equal(shared, p.frames) {
		return shared
	}
	p.stacks[key] = p.copied()
	return p.stacks[key]
}

func (p *parser) copied() []Frame {
	if p.total += len(p.frames); p.total > maxAllFrames {
		p.dump.Cut = true
		return nil
	}
	return slices.Clone(p.frames)
}

// index notes where each goroutine stands, since from here on other threads print goroutines that may be in the dump
// already, their stack unavailable.
func (p *parser) index() {
	p.relay = make(map[uint64]int, len(p.dump.Goroutines))
	for i := range p.dump.Goroutines {
		p.relay[p.dump.Goroutines[i].ID] = i
	}
}

// merge moves the frames of the last goroutine to an earlier paragraph of the same one.
func (p *parser) merge() {
	last := len(p.dump.Goroutines) - 1
	g := p.dump.Goroutines[last]
	if p.relay == nil || g.ID == 0 {
		return
	}
	at, ok := p.relay[g.ID]
	if !ok {
		p.relay[g.ID] = last
		return
	}
	if first := &p.dump.Goroutines[at]; len(first.Frames) == 0 {
		first.Frames, first.Elided, first.late = g.Frames, g.Elided, true
	}
	p.dump.Goroutines = p.dump.Goroutines[:last]
}
