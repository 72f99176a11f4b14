package frame

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/vectors anew")

func TestVectorsHold(t *testing.T) {
	for _, v := range Vectors() {
		if v.Description == "" {
			t.Errorf("%s: no description", v.Name)
		}
		if *update {
			write(t, v)
			continue
		}
		if err := v.Check(); err != nil {
			t.Error(err)
		}
	}
}

// write puts the frames this build makes in the place of those in the
// vector's file.
func write(t *testing.T, v Vector) {
	t.Helper()
	s := must(parseScript(v.text))
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(v.text, "\n")
	for _, st := range s.steps {
		frame, err := s.produce(st)
		if err == nil && frame != nil {
			last := strings.LastIndexByte(lines[st.line-1], ' ')
			lines[st.line-1] = lines[st.line-1][:last+1] +
				hex.EncodeToString(frame)
			err = s.consume(st, frame)
		}
		if err != nil {
			t.Fatalf("%s: line %d: %v", v.Name, st.line, err)
		}
	}
	file := filepath.Join("testdata", "vectors", v.Name+".txt")
	text := strings.Join(lines, "\n")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The frames of WIRE.md, typed in a second time: -update must not be able
// to change what the format is.
func TestVectorsAreThoseOfTheFormat(t *testing.T) {
	const stream = "aaaaaaaaaabbbbbbbbbbcccccccccc1234567890" +
		"abcdefghijklmn\x00"
	tests := []struct{ name, payload, frame string }{
		{"b-stream", hex.EncodeToString([]byte(stream)),
			"f943958c5ff3f744b1874623adb51e01c1a31e3fb480181bb2ac" +
				"360b8c9c4a5e84847a0e7484720c16a88268c6ac7274862032" +
				"5086042d"},
		{"b-sector-move", "0300" + "3f52000000000000" + "0b000800",
			"770e005dcaa561b43c4e1950e2ce33db0e3999"},
		{"b-echo", "8813" + "0100000000000000" + "0807060504030201",
			"77120031c1587f93965d5d93f055279fe1592793e9ad37"},
		{"b-heartbeat", "8a13", "770200319cb862"},
		{"a-heartbeat", "8a13", "770200871a0d94"},
		{"lan-packet", "224e010100000000000065",
			"0b00224e010100000000000065"},
	}
	texts := map[string]string{}
	for _, v := range Vectors() {
		texts[v.Name] = v.text
	}
	for _, tt := range tests {
		want := "client data " + tt.payload + " " + tt.frame + "\n"
		if !strings.Contains(texts[tt.name], want) {
			t.Errorf("%s lacks %q", tt.name, want)
		}
	}
}

func TestVectorCheckTellsADifference(t *testing.T) {
	for _, v := range Vectors() {
		lines := strings.Split(strings.TrimSpace(v.text), "\n")
		last := len(lines) - 1
		digit := lines[last][len(lines[last])-1]
		lines[last] = lines[last][:len(lines[last])-1] +
			string("1032547698badcfe"[strings.IndexByte(
				"0123456789abcdef", digit)])
		v.text = strings.Join(lines, "\n")
		err := v.Check()
		if err == nil || !strings.Contains(err.Error(), v.Name) {
			t.Errorf("%s with another last bit: %v", v.Name, err)
		}
	}
}

func TestVectorCheckTellsABadFile(t *testing.T) {
	for _, text := range []string{
		"", "codec none", "codec", "codec lan\nclient data zz 00",
		"codec lan\nclient jump 00", "codec lan\nnobody data 00 00",
		"codec lan\nclient data 00 zz", "codec sealed",
		"codec sealed\nserver-private 00", "codec classic-b\nkey 100",
		"codec peer\nclient-boot x",
		"codec lan\norigin 10000 0 00", "codec lan\ncontext 00 00 00",
	} {
		v := Vector{Name: "bad", text: text}
		if err := v.Check(); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
