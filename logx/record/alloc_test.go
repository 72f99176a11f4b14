package record

import (
	"errors"
	"testing"
	"time"
)

func TestNothingIsAllocated(t *testing.T) {
	types, err := NewTypes("raid")
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	now := time.Now()
	r := Record{
		Head:  Head{Index: 1, Time: now.UnixNano(), Session: 3, Level: Warn, Flags: FlagTrace | FlagCut, Type: FirstCustom},
		Trace: testTrace, Span: testSpan, Message: "ein Satz, größer",
		Fields: append(everyField(), JSON("json", "[1,\n{\"a\":null}]"), Err(gone)),
	}
	payload := payloadOf(&r)
	disk := Append(nil, &r.Head, payload)
	into := Record{Fields: make([]Field, 0, len(r.Fields))}
	buf := make([]byte, 0, 64<<10)
	failed := error(nil)
	for name, f := range map[string]func(){
		"AppendPayload": func() { buf = AppendPayload(buf[:0], &r.Trace, nil, r.Message, r.Fields) },
		"fields": func() {
			fields := [...]Field{
				String("a", "b"), Int("c", len(payload)), Uint("d", uint(7)), Float("e", 1), Bool("f", true),
				Duration("g", time.Second), Time("h", now), JSON("i", "{}"), Err(gone),
			}
			message, fit, _ := Fit(200, true, "message", fields[:])
			buf = AppendPayload(buf[:PayloadBound(true, message, fit)], &r.Trace, &r.Span, message, fit)
		},
		"Append": func() { buf = Append(buf[:0], &r.Head, payload) },
		"Parse": func() {
			if _, err := Parse(disk); err != nil {
				failed = err
			}
		},
		"Decode": func() {
			v, _ := ParseUnchecked(disk)
			if err := v.Decode(&into); err != nil {
				failed = err
			}
		},
		"AppendText": func() { buf = AppendText(buf[:0], &r, types) },
		"AppendJSON": func() { buf = AppendJSON(buf[:0], &r, types) },
		"unnamed":    func() { buf = AppendJSON(AppendText(buf[:0], &r, nil), &r, nil) },
	} {
		if got := testing.AllocsPerRun(20, f); got != 0 || failed != nil {
			t.Errorf("%s: %v allocations per run, %v, want 0", name, got, failed)
		}
	}
}
