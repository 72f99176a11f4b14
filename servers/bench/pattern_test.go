package main

import (
	"strings"
	"testing"
)

func TestEchoIsChecked(t *testing.T) {
	p, err := newPattern(32)
	if err != nil {
		t.Fatal(err)
	}
	sent := make([]byte, 32)
	p.fill(sent, 7, 1<<40)
	altered := func(at int) []byte {
		b := append([]byte(nil), sent...)
		b[at] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		payload []byte
		want    string // of the explanation; empty: it matches
	}{
		"as sent":            {sent, ""},
		"short":              {sent[:31], "31 bytes, want 32"},
		"another message":    {altered(0), "echo of message 1099511627777"},
		"another connection": {altered(8), "echo of connection 6"},
		"one bit of content": {altered(31), "echo differs"},
	} {
		if got := p.matches(c.payload, 7, 1<<40); got != (c.want == "") {
			t.Errorf("%s: matches = %v", name, got)
		}
		if got := p.explain(c.payload, 7, 1<<40).Error(); !strings.Contains(got, c.want) {
			t.Errorf("%s: explained as %q, want %q in it", name, got, c.want)
		}
	}
}

func TestNeighbouringMessagesDiffer(t *testing.T) {
	p, err := newPattern(32)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for conn := range uint32(20) {
		for sequence := range uint64(20) {
			seen[string(p.at(conn, sequence))] = true
		}
	}
	if len(seen) != 400 {
		t.Errorf("%d different contents of 400 messages", len(seen))
	}
}

func TestPayloadSizeIsLimited(t *testing.T) {
	for size, ok := range map[int]bool{11: false, 12: true, 65535: true, 65536: false} {
		if _, err := newPattern(size); (err == nil) != ok {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

func TestCheckingAllocatesNothing(t *testing.T) {
	p, err := newPattern(32)
	if err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, 32)
	if n := testing.AllocsPerRun(100, func() {
		p.fill(payload, 1, 2)
		if !p.matches(payload, 1, 2) {
			t.Fail()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWholeFrames(t *testing.T) {
	two := []byte{1, 0, 'a', 2, 0, 'b', 'c'}
	for name, c := range map[string]struct {
		b          []byte
		want, size int
	}{
		"nothing":           {nil, 1, 0},
		"half a header":     {two[:1], 1, 0},
		"header only":       {two[:2], 1, 0},
		"first of two":      {two, 1, 3},
		"both":              {two, len(two), 7},
		"second unfinished": {two[:6], len(two), 3},
		"empty payload":     {[]byte{0, 0}, 1, 2},
	} {
		if got := wholeFrames(c.b, c.want); got != c.size {
			t.Errorf("%s: %d bytes, want %d", name, got, c.size)
		}
	}
}
