package record

import (
	"strconv"
	"testing"
	"time"
)

// benchFields are what a line of a game server tells: five fields of mixed kinds.
func benchFields() []Field {
	return []Field{
		String("peer", "10.20.30.40:51234"), Int("rate", 812), Uint("bytes", uint64(1460)),
		Bool("sealed", true), Duration("wait", 1500*time.Microsecond),
	}
}

func benchRecord() *Record {
	h := Head{Index: 4711, Time: 1795387450123456789, Session: 1 << 40, Level: Warn, Flags: FlagTrace, Type: TypeSession}
	return &Record{Head: h, Trace: [16]byte{1, 2, 3}, Span: [8]byte{4, 5, 6}, Message: "too many packets", Fields: benchFields()}
}

// BenchmarkAppendPayload is the part of a record that the caller waits for; PayloadSize goes before it, as in the log.
func BenchmarkAppendPayload(b *testing.B) {
	trace, span := [16]byte{1, 2, 3}, [8]byte{4, 5, 6}
	sets := []struct {
		name   string
		trace  *[16]byte
		fields []Field
	}{
		{"fields=0", nil, nil},
		{"trace", &trace, nil},
		{"string", nil, []Field{String("peer", "10.20.30.40:51234")}},
		{"int", nil, []Field{Int("rate", 812)}},
		{"mixed=5", nil, benchFields()},
		{"int=8", nil, repeat(Int("rate", 812), 8)},
		{"string=8", nil, repeat(String("peer", "10.20.30.40:51234"), 8)},
		{"bigint=8", nil, repeat(Int("rate", int64(-1)<<40), 8)},
	}
	buf := make([]byte, 0, 512)
	for _, s := range sets {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendPayload(buf[:0], s.trace, &span, "too many packets", s.fields)
			}
		})
		b.Run(s.name+"/size", func(b *testing.B) {
			for b.Loop() {
				PayloadSize(s.trace != nil, "too many packets", s.fields)
			}
		})
		b.Run(s.name+"/bound", func(b *testing.B) {
			for b.Loop() {
				PayloadBound(s.trace != nil, "too many packets", s.fields)
			}
		})
	}
}

func repeat(f Field, n int) []Field {
	fields := make([]Field, n)
	for i := range fields {
		fields[i] = f
		fields[i].Key += strconv.Itoa(i)
	}
	return fields
}

func BenchmarkAppend(b *testing.B) {
	r := benchRecord()
	payload := AppendPayload(nil, &r.Trace, &r.Span, r.Message, r.Fields)
	buf := make([]byte, 0, 512)
	b.SetBytes(int64(HeadBytes + len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], &r.Head, payload)
	}
}

func BenchmarkRead(b *testing.B) {
	r := benchRecord()
	disk := Append(nil, &r.Head, AppendPayload(nil, &r.Trace, &r.Span, r.Message, r.Fields))
	read := map[string]func() error{
		"Parse":          func() error { _, err := Parse(disk); return err },
		"ParseUnchecked": func() error { _, err := ParseUnchecked(disk); return err },
		"Decode":         func() error { v, _ := ParseUnchecked(disk); return v.Decode(r) },
	}
	for name, f := range read {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(disk)))
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLine(b *testing.B) {
	r := benchRecord()
	buf := make([]byte, 0, 1024)
	for name, line := range map[string]func([]byte, *Record, *Types) []byte{"text": AppendText, "json": AppendJSON} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = line(buf[:0], r, nil)
			}
		})
	}
}
