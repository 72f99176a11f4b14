package monitor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"vitrine/crash/bundle"
)

// pipe joins what is read and what is written.
type stream struct {
	io.Reader
	io.Writer
}

func TestMessagesComeOutAsTheyWentIn(t *testing.T) {
	var wire bytes.Buffer
	c := NewConn(stream{&wire, &wire})
	sent := []any{
		&Setup{Dir: "d", Boot: 1 << 63, Stall: time.Second, Static: map[string][]byte{"config.json": []byte("{}")}},
		&Capture{ID: 7, Class: bundle.ClassPanic, Text: []byte{0, 255}, At: time.Unix(5, 6).UTC(), Core: true},
		&Captured{ID: 7, StopUS: 3, Problem: "p"}, &Explain{ID: 8}, &Sources{ID: 7, Files: map[string][]byte{"a": []byte("b")}},
		&Reap{PID: 9}, &Done{ID: 7, Path: "p"}, &Ready{PID: 1, Ptrace: "yes"}, &End{},
	}
	for _, m := range sent {
		if err := c.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range sent {
		got, err := c.Receive()
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v: %s", err, cmp.Diff(want, got))
		}
	}
	if _, err := c.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v, want EOF", err)
	}
	if err := c.Send("text"); !errors.Is(err, errFrame) {
		t.Errorf("no message: %v, want %v", err, errFrame)
	}
}

func FuzzReceive(f *testing.F) {
	var wire bytes.Buffer
	if err := NewConn(stream{nil, &wire}).Send(&Capture{ID: 1, Text: []byte("panic: x")}); err != nil {
		f.Fatal(err)
	}
	f.Add(wire.Bytes())
	f.Add(binary.LittleEndian.AppendUint32(nil, 1<<31))
	f.Add([]byte{2, 0, 0, 0, kindSetup, '{', '}'})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := NewConn(stream{bytes.NewReader(data), nil})
		for {
			m, err := c.Receive()
			if err != nil {
				return
			}
			if m == nil {
				t.Fatal("neither message nor error")
			}
		}
	})
}
