package sentry

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"vitrine/crash/bundle"
	"vitrine/crash/traceback"
)

// The limits of what is read from a bundle and attached.
const (
	MaxTextBytes  = 1 << 20  // of crash.txt as it is attached: its head and its tail
	MaxJSONBytes  = 16 << 20 // of another file; one that is larger is left out
	maxParseBytes = 8 << 20  // of crash.txt as it is parsed; the one that crashed comes first
	maxTailBytes  = 64 << 10 // of log.tail
	tailBytes     = MaxTextBytes / 4
	cutMark       = "\n[... the middle is left out ...]\n"
)

// material is what a bundle's files give.
type material struct {
	dump    *traceback.Dump
	crumbs  []string
	files   []item   // what may be attached, the most useful first
	leftOut []string // what is missing, and why
}

// gather reads a bundle. A file that is missing or damaged is left out; the event is worth more.
func (x *cleaner) gather(dir string, m *bundle.Meta) material {
	var g material
	text, err := ends(filepath.Join(dir, "crash.txt"), maxParseBytes, 0)
	g.missed("crash.txt", err)
	g.dump = traceback.Parse(text)
	log, err := ends(filepath.Join(dir, "log.tail"), 0, maxTailBytes)
	g.missed("log.tail", err)
	g.crumbs = strings.Split(string(log), "\n")
	g.attach(x.meta(m))
	g.attach(x.crashText(filepath.Join(dir, "crash.txt")))
	for _, name := range []string{"goroutines.json", "flight.json"} {
		g.attach(x.jsonFile(filepath.Join(dir, name)))
	}
	return g
}

func (g *material) attach(it item, err error) {
	g.missed(it.Filename, err)
	if err == nil && len(it.payload) > 0 {
		it.Type = "attachment"
		g.files = append(g.files, it)
	}
}

// missed writes down why a file is left out. Not every bundle has every file.
func (g *material) missed(name string, err error) {
	if err != nil && !missing(err) {
		g.leftOut = append(g.leftOut, fmt.Sprintf("%s: %v", name, err))
	}
}

// meta is meta.json as it may leave the machine.
func (x *cleaner) meta(m *bundle.Meta) (item, error) {
	raw, err := json.Marshal(m)
	if err == nil {
		raw, err = x.json(raw)
	}
	return item{Filename: "meta.json", ContentType: "application/json", payload: raw}, err
}

// jsonFile reads and cleans a JSON file.
func (x *cleaner) jsonFile(name string) (item, error) {
	it := item{Filename: filepath.Base(name), ContentType: "application/json"}
	raw, err := readFile(name, MaxJSONBytes)
	if err == nil {
		it.payload, err = x.json(raw)
	}
	return it, err
}

// crashText reads and cleans the text of a crash. It is cleaned before it is cut, but for the middle of a file that is too
// large, which goes in whole lines, so that no secret is cut in two and slips through.
func (x *cleaner) crashText(name string) (item, error) {
	it := item{Filename: "crash.txt", ContentType: "text/plain"}
	text, err := ends(name, MaxTextBytes-tailBytes-len(cutMark), tailBytes)
	if err != nil {
		return it, err
	}
	text = shorten(x.scrub.Traceback(text))
	if over := len(text) - MaxTextBytes; over > 0 {
		text = text[:MaxTextBytes]
	}
	it.payload = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	return it, nil
}

// shorten cuts what a panic said, which is all before the first stack, at maxReasonBytes from either end.
func shorten(text []byte) []byte {
	end := len(text)
	for _, mark := range []string{"\ngoroutine ", "\nruntime stack:"} {
		if i := bytes.Index(text, []byte(mark)); i >= 0 {
			end = min(end, i)
		}
	}
	if bytes.HasPrefix(text, []byte("goroutine ")) || end <= maxReasonBytes {
		return text
	}
	const last = maxReasonBytes / 4
	said := text[:end]
	return bytes.Join([][]byte{said[:maxReasonBytes-last], []byte("[...]"), said[end-last:], text[end:]}, nil)
}

// ends reads the first and the last bytes of a file. Where the middle is missing, lines that are not whole go too.
func ends(name string, head, tail int) ([]byte, error) {
	f, size, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size <= int64(head+tail) {
		return io.ReadAll(io.LimitReader(f, int64(head+tail)))
	}
	text, err := readAt(f, 0, head)
	last, err2 := readAt(f, size-int64(tail), tail)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	_, last, _ = bytes.Cut(last, []byte{'\n'})
	if head > 0 && tail > 0 {
		text = append(text, cutMark...)
	}
	return append(text, last...), nil
}

// readAt reads n bytes at an offset, less where the file ends.
func readAt(f *os.File, at int64, n int) ([]byte, error) {
	return io.ReadAll(io.NewSectionReader(f, at, int64(n)))
}

// within takes as many files as the budget allows, compressed, and says which it does not.
func within(files []item, budget int64) (kept []item, leftOut []string) {
	for _, it := range files {
		size := int64(len(it.payload)) + int64(len(it.payload))>>8 + 256 // more than gzip makes of it
		if size > budget {
			size = packedBytes(it.payload)
		}
		if size > budget {
			leftOut = append(leftOut, fmt.Sprintf("%s: over the budget of attachments", it.Filename))
			continue
		}
		budget -= size
		kept = append(kept, it)
	}
	return kept, leftOut
}

// packedBytes gives the size of a file in gzip, with its header in the envelope.
func packedBytes(payload []byte) int64 {
	var n counter
	z := gzip.NewWriter(&n)
	z.Write(payload)
	z.Close()
	return int64(n) + 256
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }
