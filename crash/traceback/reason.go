package traceback

import "bytes"

// why reads a line outside of any stack: the reason and the signal. The first reason counts, since a second one comes
// of a thread that died in the first one's crash.
func (p *parser) why(line []byte) {
	d := p.dump
	switch {
	case string(line) == "signal arrived during cgo execution":
		d.inC = d.inC || len(d.Goroutines) == 0
	case d.Signal == "" && bytes.HasPrefix(line, []byte("[signal ")):
		d.Signal = signalName(line[len("[signal "):])
	case p.relay != nil: // the signal by which the dying process makes its other threads report
	case d.Reason != "" && (!p.weak || len(d.Goroutines) > 0):
	case isStrong(line):
		d.Reason, p.weak = p.reason(), false
	case bytes.HasPrefix(p.peek(), []byte("PC=0x")):
		d.Reason, p.weak = p.reason(), false
		d.Signal = signalName(line)
	case isWeak(line):
		d.Reason, p.weak = p.reason(), true
	}
}

func isStrong(line []byte) bool {
	return bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: "))
}

// isWeak tells a line that the runtime prints just before "fatal error: ", which says the same in the words of a table.
func isWeak(line []byte) bool {
	return bytes.HasPrefix(line, []byte("runtime: out of memory")) || bytes.HasPrefix(line, []byte("runtime: goroutine stack exceeds"))
}

// reason returns this line and those below that go on with it: each begins with a tab.
func (p *parser) reason() string {
	text := bytes.Clone(p.line)
	for bytes.HasPrefix(p.peek(), []byte{'\t'}) {
		p.next()
		text = append(append(text, '\n'), p.line...)
		if len(text) > reasonBytes {
			break
		}
	}
	if len(text) > reasonBytes {
		text, p.dump.Cut = text[:reasonBytes], true
	}
	return string(bytes.ToValidUTF8(text, []byte("\uFFFD")))
}

// signalName returns SIGSEGV of "SIGSEGV: segmentation violation code=0x1 ...", and of other texts what stands before
// the code.
func signalName(text []byte) string {
	text, _, _ = bytes.Cut(text, []byte(" code="))
	name, _, _ := bytes.Cut(text, []byte{':'})
	return string(bytes.ToValidUTF8(name[:min(len(name), 32)], []byte("\uFFFD")))
}
