package frame

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// vectorFiles holds one vector a file, in lines of words:
//
//	# text                    the description
//	codec NAME                lan, peer, classic-a, classic-b, sealed, or
//	                          stream-b: B without a header or a checksum
//	code | key | key2 | random HEX                       classic, one byte
//	client-boot | server-boot HEX, client-name | server-name TEXT     peer
//	server-private | client-ephemeral | server-ephemeral HEX        sealed
//	rekey DECIMAL             frames of one key, when not 2^20      sealed
//	origin WORKER SEQUENCE | context TRACE SPAN FLAGS | call ID FLAGS
//	                          HEX, a block of the next data frame     peer
//	SIDE hello FRAME          what client or server sends first
//	SIDE data PAYLOAD FRAME   a packet
//	SIDE close FRAME          the close                             sealed
//
// Bytes are in hexadecimal as they stand on the wire; WORKER, SEQUENCE
// and ID are hexadecimal numbers.
//
//go:embed testdata/vectors/*.txt
var vectorFiles embed.FS

// Vector is one example of the wire format, true to the byte.
type Vector struct {
	Name        string // of its file, without the ending
	Description string // one line
	text        string
}

// Vectors returns all vectors of the format in the order of their names.
// The caller owns the slice.
func Vectors() []Vector {
	names, err := fs.Glob(vectorFiles, "testdata/vectors/*.txt")
	if err != nil {
		panic("frame: " + err.Error())
	}
	vectors := make([]Vector, 0, len(names))
	for _, name := range names {
		text, err := vectorFiles.ReadFile(name)
		if err != nil {
			panic("frame: " + err.Error())
		}
		vectors = append(vectors, newVector(name, string(text)))
	}
	return vectors
}

func newVector(file, text string) Vector {
	var described []string
	for line := range strings.Lines(text) {
		if about, ok := strings.CutPrefix(line, "#"); ok {
			described = append(described, strings.TrimSpace(about))
		}
	}
	return Vector{
		Name:        strings.TrimSuffix(path.Base(file), ".txt"),
		Description: strings.Join(described, " "),
		text:        text,
	}
}

// Check makes every frame of the vector and reads it back. The error says
// the line and what differed; nil means that this build speaks the
// format. Any goroutine may call it.
func (v Vector) Check() error {
	s, err := parseScript(v.text)
	if err == nil {
		err = s.play()
	}
	if err != nil {
		return fmt.Errorf("check vector %s: %w", v.Name, err)
	}
	return nil
}
