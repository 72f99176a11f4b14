package record

import (
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenRecords are records whose lines are kept in testdata.
func goldenRecords() []Record {
	at := time.Date(2026, 11, 22, 22, 44, 10, 123456789, time.UTC).UnixNano()
	head := func(index uint64, l Level, typ Type) Head { return Head{Index: index, Time: at, Level: l, Type: typ} }
	full := Record{
		Head:  Head{Index: 4711, Time: at, Session: 1, Level: Warn, Flags: FlagTrace | FlagCut | FlagDropped, Type: FirstCustom},
		Trace: testTrace, Span: testSpan, Message: "too many packets",
		Fields: []Field{Int("rate", 812), String("peer", "10.0.0.7:51234")},
	}
	kinds := Record{Head: head(1, Info, TypeNetwork), Message: "each kind", Fields: []Field{
		String("string", "größe"), Int("int", -5), Uint("uint", uint(5)), Float("float", 1.25), Float("small", 1e-9), Float("large", 1e21),
		Bool("bool", true), Duration("duration", 90*time.Second+time.Microsecond), Time("time", time.Unix(0, at)), Time("day", time.Unix(0, 0)),
		JSON("json", `{"a":[1,"b c"],"d":null}`), Err(errors.New("connection reset")), Err(nil),
	}}
	edges := Record{Head: head(math.MaxUint64, System, TypeCrash), Message: "edges of numbers", Fields: []Field{
		Int("exact", int64(1<<53)), Int("inexact", int64(1<<53+1)), Int("least", int64(math.MinInt64)), Uint("exact", uint64(1<<53)), Uint("most", uint64(math.MaxUint64)),
		Float("nan", math.NaN()), Float("inf", math.Inf(1)), Float("-inf", math.Inf(-1)), Float("-0", math.Copysign(0, -1)),
		Duration("least", math.MinInt64), Time("first", time.Time{}), Time("last", time.Unix(1<<40, 0)),
	}}
	hostile := Record{Head: head(2, Error, TypeChat), Message: "line\n[chat] [forged / INFO / 3] \x1b[31m", Fields: []Field{
		String("", ""), String("a b", "c d"), String("a=b", "c=d"), String("quote", `"`), String("backslash", `\`), String("control", "\x00\x7f\u0085"),
		String("separator", "\u2028\u2029"), String("turned", "\u202eabc"), String("bad", "a\xffb\xc3"), String("replacement", "\ufffd"),
		String("wide", "日本"), String("wide space", "日 本"), JSON("lines", "{\n\t\"a\" : \"\\n\"\r\n}"), JSON("none", ""), JSON("open", `{"a":1`), JSON("two", "1\n2"),
		JSON("bad", "\"\xff\""), JSON("separators", "\"\u2028\""), JSON("deep", strings.Repeat("[", 300)+strings.Repeat("]", 300)),
	}}
	old := Record{Head: Head{Index: 5, Time: math.MinInt64, Level: Debug, Type: 40}, Message: `"quoted"`}
	return []Record{full, kinds, edges, hostile, old, {Head: Head{Index: 6, Flags: FlagTombstone, Level: 9}}}
}

func TestLinesAreTheGoldenOnes(t *testing.T) {
	types, err := NewTypes("raid")
	if err != nil {
		t.Fatal(err)
	}
	records := goldenRecords()
	var text, lines []byte
	for i := range records {
		text = AppendText(text, &records[i], types)
		lines = AppendJSON(lines, &records[i], types)
	}
	golden(t, "lines.txt", text)
	golden(t, "lines.json", lines)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s: got\n%s, want\n%s", path, got, want)
	}
}

// The times of lines are those of the time package.
func TestTimesAreThoseOfTheTimePackage(t *testing.T) {
	for _, ns := range []int64{0, 1, -1, 999, 1e9 - 1, 1e9, 123456000, 120000000, 951782400e9, 1709164799999999999, math.MaxInt64, math.MinInt64} {
		at := time.Unix(0, ns).UTC()
		if got, want := string(appendTime(nil, ns, 9)), at.Format(time.RFC3339Nano); got != want {
			t.Errorf("%d: %s, want %s", ns, got, want)
		}
		if got, want := string(appendTime(nil, ns, 6)), at.Format("2006-01-02T15:04:05.000000Z"); got != want {
			t.Errorf("%d: %s, want %s", ns, got, want)
		}
	}
}

// jsonLine is what a reader of JSON lines makes of one.
type jsonLine struct {
	Index, Time, Level, Type, Session, Trace, Span, Flags, Msg string
	Fields                                                     map[string]any
}

func TestReadersOfJSONGetTheValues(t *testing.T) {
	records := goldenRecords()
	var line jsonLine
	if err := json.Unmarshal(AppendJSON(nil, &records[1], nil), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"string": "größe", "int": -5.0, "float": 1.25, "bool": true, "duration": "1m30.000001s", "time": "2026-11-22T22:44:10.123456789Z", "error": "<nil>",
	} {
		if got := line.Fields[key]; got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
}

// jsonTexts are texts at the edges of what is JSON.
var jsonTexts = []string{
	"", " ", "null", "nul", "nulls", "true", "false", "truefalse", "1", "-1", "-", "01", "-0", "0.5", "0.", ".5", "1e5", "1E-5", "1e+", "+1", "1 2", "NaN",
	`""`, `"`, `"\u00e9\n"`, `"\u00g9"`, `"\u00`, `"\x"`, `"\`, "\"\t\"", "\"\x7f\"", "\"\xff\"", `"a" "b"`, `'a'`,
	"[]", "[ ]", "[1]", "[1,]", "[,1]", "[1 2]", "[", "]", "[1", "[[],{}]", "[}", " [ 1 , 2 ] ",
	"{}", "{ }", `{"a":1}`, `{"a" : 1 , "b":[{}]}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, `{,}`, `{1:1}`, `{"a":1`, `{"a":1]`, "{}x", "\v1", "\u00a01", "/**/1",
}

func TestJSONIsCheckedLikeTheStandardLibraryDoes(t *testing.T) {
	for _, raw := range jsonTexts {
		if got, want := validJSON(raw), utf8.ValidString(raw) && json.Valid([]byte(raw)); got != want {
			t.Errorf("%q: %v, want %v", raw, got, want)
		}
	}
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if !validJSON(nest(maxDepth)) || validJSON(nest(maxDepth+1)) || validJSON(strings.Repeat("[", 1<<20)) {
		t.Errorf("nesting %d deep should be the limit", maxDepth)
	}
}
