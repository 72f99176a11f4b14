package frame

import (
	"bytes"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"vitrine/core/packet"
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

// step is one line of a script with the words behind the first two.
type step struct {
	line       int
	side, word string
	args       []string
}

// script is a parsed vector: both ends of a session and what they send.
type script struct {
	settings map[string]string
	steps    []step
	ends     [2]end
	ext      packet.Ext // of the next data frame
}

// end is one side of the session of a script.
type end struct {
	codec   Codec
	state   *State
	pending []byte // its answer to the other side's hello
}

func parseScript(text string) (*script, error) {
	s := &script{settings: map[string]string{}}
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case len(words) == 2:
			s.settings[words[0]] = words[1]
		case len(words) < 2:
			return nil, fmt.Errorf("line %d: one word", i+1)
		default:
			s.steps = append(s.steps,
				step{i + 1, words[0], words[1], words[2:]})
		}
	}
	return s, nil
}

// play runs the script and compares each frame with the one it names.
func (s *script) play() error {
	if err := s.start(); err != nil {
		return err
	}
	for _, st := range s.steps {
		frame, err := s.produce(st)
		if err == nil && frame != nil {
			err = compare("frame", frame, st.args[len(st.args)-1])
		}
		if err == nil && frame != nil {
			err = s.consume(st, frame)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", st.line, err)
		}
	}
	return nil
}

// compare tells got from what the hexadecimal text says.
func compare(what string, got []byte, text string) error {
	want, err := hex.DecodeString(text)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is %x, want %x", what, got, want)
	}
	return nil
}

// produce returns what a step puts on the wire; nil when it puts nothing
// there: an extension block, kept for the next frame.
func (s *script) produce(st step) ([]byte, error) {
	from, ok := s.end(st.side)
	if !ok {
		return nil, s.setExt(st)
	}
	switch st.word {
	case "hello":
		frame, err := from.codec.Greet(from.state, nil)
		return append(frame, from.pending...), err
	case "close":
		return from.codec.SealClose(from.state, nil)
	case "data":
		payload, err := hex.DecodeString(st.args[0])
		if err != nil {
			return nil, err
		}
		return s.seal(from, payload)
	}
	return nil, fmt.Errorf("unknown step %q", st.word)
}

func (s *script) seal(from *end, payload []byte) ([]byte, error) {
	if s.settings["codec"] == "stream-b" {
		stream := make([]byte, len(payload))
		c := &from.codec
		encodeB(stream, payload[0], payload[1:], c.randKey(), c.key)
		return stream, nil
	}
	return from.codec.Seal(from.state, nil, payload, &s.ext)
}

// consume has the other side read frame.
func (s *script) consume(st step, frame []byte) error {
	frame = bytes.Clone(frame)
	to, _ := s.end(other(st.side))
	if s.settings["codec"] == "stream-b" {
		decodeB(frame, to.codec.randKey(), to.codec.key)
		return compare("stream", frame, st.args[0])
	}
	if n, err := to.codec.Size(frame); err != nil || n != len(frame) {
		return fmt.Errorf("size %d of %d bytes: %w", n, len(frame), err)
	}
	if st.word == "hello" {
		return to.shake(frame)
	}
	var ext packet.Ext
	payload, err := to.codec.Open(to.state, frame, &ext)
	if st.word == "close" {
		return wantClosed(err)
	}
	if err == nil && ext != s.ext {
		err = fmt.Errorf("extension is %+v, want %+v", ext, s.ext)
	}
	s.ext = packet.Ext{}
	if err != nil {
		return err
	}
	return compare("payload", payload, st.args[0])
}

func (e *end) shake(frame []byte) error {
	reply, done, err := e.codec.Handshake(e.state, frame, nil)
	if err == nil && !done {
		err = errors.New("handshake is not done")
	}
	e.pending = reply
	return err
}

func wantClosed(err error) error {
	if err == ErrClosed {
		return nil
	}
	return fmt.Errorf("close is read as %v", err)
}

func (s *script) end(side string) (*end, bool) {
	switch side {
	case "client":
		return &s.ends[0], true
	case "server":
		return &s.ends[1], true
	}
	return nil, false
}

func other(side string) string {
	if side == "client" {
		return "server"
	}
	return "client"
}

func (s *script) setExt(st step) error {
	var n reader
	switch {
	case st.side == "origin" && len(st.args) == 1:
		s.ext.Kinds |= packet.ExtOrigin
		s.ext.OriginWorker = uint16(n.number(st.word, 16))
		s.ext.OriginSeq = n.number(st.args[0], 48)
	case st.side == "context" && len(st.args) == 2:
		s.ext.Kinds |= packet.ExtContext
		n.bytes(s.ext.TraceID[:], st.word)
		n.bytes(s.ext.SpanID[:], st.args[0])
		s.ext.ContextFlags = uint8(n.number(st.args[1], 8))
	case st.side == "call" && len(st.args) == 1:
		s.ext.Kinds |= packet.ExtCall
		s.ext.CallID = uint32(n.number(st.word, 32))
		s.ext.CallFlags = uint8(n.number(st.args[0], 8))
	default:
		return fmt.Errorf("unknown line %q", st.side)
	}
	return n.err
}

// start makes both ends from the settings.
func (s *script) start() error {
	for i, side := range []string{"client", "server"} {
		codec, err := s.codec(side)
		if err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
		state, err := codec.NewState(side == "client")
		if err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
		s.ends[i] = end{codec: codec, state: state}
	}
	return nil
}

func (s *script) codec(side string) (Codec, error) {
	var n reader
	switch name := s.settings["codec"]; name {
	case "lan":
		return LAN(LANConfig{})
	case "peer":
		boot := n.number(s.settings[side+"-boot"], 64)
		self := PeerConfig{boot, s.settings[side+"-name"]}
		c, err := LAN(LANConfig{Peer: &self})
		return c, errors.Join(err, n.err)
	case "classic-a":
		c, err := ClassicA(s.classic(&n))
		return c, errors.Join(err, n.err)
	case "classic-b", "stream-b":
		c, err := ClassicB(s.classic(&n))
		return c, errors.Join(err, n.err)
	case "sealed":
		return s.sealed(side)
	default:
		return Codec{}, fmt.Errorf("unknown codec %q", name)
	}
}

func (s *script) classic(n *reader) ClassicConfig {
	one := func(key string) byte {
		if s.settings[key] == "" {
			return 0
		}
		return byte(n.number(s.settings[key], 8))
	}
	random := one("random")
	return ClassicConfig{
		Code: one("code"), Key: one("key"), Key2: one("key2"),
		RandKey: func() byte { return random },
	}
}

func (s *script) sealed(side string) (Codec, error) {
	var n reader
	var cfg SealedConfig
	n.bytes(cfg.Private[:], s.settings["server-private"])
	if n.err != nil {
		return Codec{}, n.err
	}
	public, err := PublicKey(cfg.Private)
	if err != nil {
		return Codec{}, err
	}
	if side == "client" {
		cfg = SealedConfig{PublicKey: public}
	}
	c, err := Sealed(cfg)
	if err != nil {
		return Codec{}, err
	}
	c.sealed.ephemeral = make([]byte, KeyLen)
	n.bytes(c.sealed.ephemeral, s.settings[side+"-ephemeral"])
	if text := s.settings["rekey"]; text != "" {
		frames, err := strconv.ParseUint(text, 10, 32)
		c.sealed.rekey = uint32(frames)
		return c, errors.Join(err, n.err)
	}
	return c, n.err
}

// reader reads hexadecimal words and keeps the first error.
type reader struct{ err error }

func (r *reader) number(text string, bits int) uint64 {
	v, err := strconv.ParseUint(text, 16, bits)
	if r.err == nil {
		r.err = err
	}
	return v
}

func (r *reader) bytes(dst []byte, text string) {
	b, err := hex.DecodeString(text)
	if err == nil && len(b) != len(dst) {
		err = fmt.Errorf("%d bytes, want %d", len(b), len(dst))
	}
	copy(dst, b)
	if r.err == nil {
		r.err = err
	}
}
