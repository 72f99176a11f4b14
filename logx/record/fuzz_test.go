package record

import (
	"bytes"
	"encoding/json"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"
)

// FuzzParse reads hostile bytes: no panic, no view outside of them, and what is taken comes out the same when it is
// written again.
func FuzzParse(f *testing.F) {
	f.Add(sample())
	h := Head{Index: 1, Level: Info}
	f.Add(Append(nil, &h, nil))
	f.Add(append(Append(nil, &h, AppendPayload(nil, nil, nil, "every field", everyField())), "behind"...))
	f.Add([]byte("\x00\x00\x00\x00VTRNSEAL"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseUnchecked(b)
		if err != nil {
			if v.Payload != nil || err == ErrShort && len(b) >= MaxBytes {
				t.Fatalf("%+v and %v for %d bytes", v, err, len(b))
			}
			return
		}
		if v.Size() > len(b) || len(v.Payload) > 0 && &v.Payload[0] != &b[HeadBytes] {
			t.Fatalf("a view of %d bytes within %d", v.Size(), len(b))
		}
		again := Append(nil, &v.Head, v.Payload)
		if _, err := Parse(b); err == nil && !bytes.Equal(again, b[:v.Size()]) {
			t.Fatalf("written again: %x, want %x", again, b[:v.Size()])
		}
		decodeHostile(t, v)
	})
}

// FuzzDecode reads hostile payloads.
func FuzzDecode(f *testing.F) {
	f.Add(false, AppendPayload(nil, nil, nil, "every field", everyField()))
	f.Add(true, AppendPayload(nil, &testTrace, &testSpan, "traced", benchFields()))
	f.Add(false, []byte("\x01a\x01b\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"))
	f.Fuzz(func(t *testing.T, trace bool, payload []byte) {
		v := View{Head: Head{Level: Info}, Payload: payload}
		if trace {
			v.Flags = FlagTrace
		}
		decodeHostile(t, v)
	})
}

// decodeHostile decodes v and checks what was taken.
func decodeHostile(t *testing.T, v View) {
	var r, again Record
	if err := v.Decode(&r); err != nil {
		if err != ErrCorrupt {
			t.Fatal(err)
		}
		return
	}
	size := PayloadSize(v.Flags&FlagTrace != 0, r.Message, r.Fields)
	if size > max(len(v.Payload), traceBytes+1) {
		t.Fatalf("%d bytes became %d", len(v.Payload), size)
	}
	w := View{Head: v.Head, Payload: payloadOf(&r)}
	if err := w.Decode(&again); err != nil || again.Message != r.Message || len(again.Fields) != len(r.Fields) {
		t.Fatalf("%+v became %+v, %v", r, again, err)
	}
	for i := range r.Fields {
		if r.Fields[i] != again.Fields[i] {
			t.Fatalf("field %d: %+v became %+v", i, r.Fields[i], again.Fields[i])
		}
	}
	checkLines(t, &r)
}

// FuzzLine writes lines of hostile texts.
func FuzzLine(f *testing.F) {
	f.Add("message", "key", "value", `{"a":1}`, uint64(1))
	f.Add("\n[chat] [", "a b", "\xff", "[1,\n2]", uint64(1)<<63)
	f.Add(`"`, "", `"\`, `"\"[[["`, uint64(7))
	f.Add("\u2028", "=", "\u202e", "nul", uint64(0x7FF8000000000001))
	f.Fuzz(func(t *testing.T, message, key, value, raw string, bits uint64) {
		r := Record{Head: Head{Index: bits, Time: int64(bits), Session: bits, Level: Level(bits), Flags: Flags(bits), Type: Type(bits)}, Message: message}
		r.Fields = []Field{String(key, value), JSON(value, raw), Err(nil)}
		for kind := KindInt; kind <= KindTime; kind++ {
			r.Fields = append(r.Fields, Field{Key: raw, num: bits, kind: kind})
		}
		checkLines(t, &r)
	})
}

// checkLines checks that each line of r is one, that the JSON is valid and holds the texts, and that the words of the
// text can be told apart.
func checkLines(t *testing.T, r *Record) {
	text, line := AppendText(nil, r, nil), AppendJSON(nil, r, nil)
	for _, l := range [][]byte{text, line} {
		if bytes.IndexByte(l, '\n') != len(l)-1 || bytes.ContainsAny(l[:len(l)-1], "\r\x00\x1b\u2028\u0085") && &l[0] == &text[0] || !utf8.Valid(l) {
			t.Fatalf("not one line: %q", l)
		}
	}
	var parsed struct {
		Msg    string
		Fields json.RawMessage
	}
	if err := json.Unmarshal(line, &parsed); err != nil || parsed.Msg != string([]rune(r.Message)) {
		t.Fatalf("%s: %v", line, err)
	}
	nameless := *r
	nameless.Message = ""
	checkWords(t, AppendText(nil, &nameless, nil), r.Fields)
}

// checkWords takes a line without message apart, as a reader would.
func checkWords(t *testing.T, line []byte, fields []Field) {
	_, rest, _ := strings.Cut(string(line), "Z / ")
	_, rest, _ = strings.Cut(rest, "]")
	for i := range fields {
		key, rest1 := cutWord(t, strings.TrimPrefix(rest, " "))
		value, rest2 := cutWord(t, strings.TrimPrefix(rest1, "="))
		if f := &fields[i]; key != f.Key || !strings.HasPrefix(rest1, "=") || f.text != "" && value != f.text {
			t.Fatalf("field %d of %q: %q and %q, want %+v", i, line, key, value, f)
		}
		rest = rest2
	}
}

// cutWord cuts a key or a value off the front of a line.
func cutWord(t *testing.T, s string) (word, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " =\n")
		return s[:end], s[end:]
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	word, err = strconv.Unquote(quoted)
	if err != nil {
		t.Fatalf("%q: %v", quoted, err)
	}
	return word, s[len(quoted):]
}

// FuzzJSON compares the check of JSON texts with that of the standard library.
func FuzzJSON(f *testing.F) {
	for _, raw := range jsonTexts {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		nested := strings.Count(raw, "[")+strings.Count(raw, "{") > maxDepth
		if got, want := validJSON(raw), utf8.ValidString(raw) && json.Valid([]byte(raw)); got != want && !nested {
			t.Fatalf("%q: %v, want %v", raw, got, want)
		}
	})
}

// FuzzRoundTrip writes a record of any values and reads it back.
func FuzzRoundTrip(f *testing.F) {
	f.Add("message", "key", "value", int64(-1), uint64(1), 2.5, true)
	f.Fuzz(func(t *testing.T, message, key, value string, i int64, u uint64, x float64, trace bool) {
		r := &Record{Head: Head{Index: u, Time: i, Session: u, Level: Error}, Message: message}
		r.Fields = []Field{
			String(key, value), Int(key, i), Uint(value, u), Float(key, x), Bool("", trace), Duration(value, time.Duration(i)),
			Time(key, time.Unix(0, i)), JSON(key, value), Err(nil),
		}
		if trace {
			r.Flags, r.Trace, r.Span = FlagTrace, testTrace, testSpan
		}
		r.Message, r.Fields, _ = Fit(MaxBytes-HeadBytes, trace, message, r.Fields)
		got := back(t, r)
		if got.Message != r.Message || got.Trace != r.Trace || got.Span != r.Span || len(got.Fields) != len(r.Fields) {
			t.Fatalf("got %+v, want %+v", got, r)
		}
		for i := range r.Fields {
			if got.Fields[i] != r.Fields[i] {
				t.Fatalf("field %d: %+v, want %+v", i, got.Fields[i], r.Fields[i])
			}
		}
	})
}

// A payload of the most fields in the fewest bytes is what makes Decode allocate most.
func TestHostileBytesAllocateLittle(t *testing.T) {
	payload := make([]byte, MaxBytes-HeadBytes)
	const most = 4 * MaxFields * uint64(unsafe.Sizeof(Field{}))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var r Record
	err := View{Payload: payload}.Decode(&r)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; err != ErrCorrupt || got > most || most > MaxBytes {
		t.Errorf("%d bytes were allocated with %v, want at most %d", got, err, most)
	}
}
