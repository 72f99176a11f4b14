package record

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestLevelsHaveWords(t *testing.T) {
	want := []string{"LEVEL(0)", "DEBUG", "INFO", "WARN", "ERROR", "SYSTEM", "LEVEL(6)"}
	for l, word := range want {
		if got := Level(l).String(); got != word {
			t.Errorf("level %d: %q, want %q", l, got, word)
		}
		parsed, err := ParseLevel(strings.ToLower(word))
		if named := Level(l).valid(); named != (err == nil) || named && parsed != Level(l) {
			t.Errorf("ParseLevel(%q) = %v, %v", strings.ToLower(word), parsed, err)
		}
	}
	_, err := ParseLevel("loud\n")
	if want := `unknown level "loud\n": want debug, info, warn, error or system`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLevelOfSlogRoundsDown(t *testing.T) {
	for l, want := range map[slog.Level]Level{
		-100: Debug, -4: Debug, -1: Debug, 0: Info, 3: Info, 4: Warn, 7: Warn, 8: Error, 11: Error, 12: System, 99: System,
	} {
		if got := LevelOf(l); got != want {
			t.Errorf("LevelOf(%d) = %v, want %v", int(l), got, want)
		}
	}
	for l := Debug; l <= System; l++ {
		if got := LevelOf(l.Slog()); got != l {
			t.Errorf("LevelOf(%v.Slog()) = %v", l, got)
		}
	}
}

func TestLevelsHoldLevels(t *testing.T) {
	for from := Level(0); from < 10; from++ {
		for l := Level(0); l < 10; l++ {
			if got, want := AtLeast(from).Has(l), l >= from && l.valid(); got != want {
				t.Errorf("AtLeast(%d).Has(%d) = %v", from, l, got)
			}
		}
	}
}

func TestTypesAreNamed(t *testing.T) {
	types, err := NewTypes("raid", "shop.gold")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		typ  Type
		name string
	}{
		{TypeSystem, "system"}, {TypeLAN, "lan"}, {TypeDB, "db"}, {TypeCrash, "crash"},
		{FirstCustom, "raid"}, {FirstCustom + 1, "shop.gold"},
	}
	for _, c := range cases {
		typ, ok := types.Parse(c.name)
		if got := types.Name(c.typ); got != c.name || !ok || typ != c.typ {
			t.Errorf("type %d: %q and %d, %v back, want %q", c.typ, got, typ, ok, c.name)
		}
	}
	for _, typ := range []Type{TypeCrash + 1, FirstCustom - 1, FirstCustom + 2, MaxTypes, 255} {
		if got, want := types.Name(typ), fmt.Sprintf("#%d", typ); got != want {
			t.Errorf("type %d: %q, want %q", typ, got, want)
		}
	}
	if !slices.Equal(types.Custom(), []string{"raid", "shop.gold"}) {
		t.Errorf("Custom() = %q", types.Custom())
	}
}

func TestNilTypesKnowTheFirstOnes(t *testing.T) {
	var types *Types
	if got := types.Name(TypeChat) + types.Name(FirstCustom); got != "chat#16" || types.Custom() != nil {
		t.Errorf("got %q and %q", got, types.Custom())
	}
	if _, ok := types.Parse("#16"); ok {
		t.Error("the name of an unnamed type was found")
	}
}

func TestBadTypeNamesAreRefused(t *testing.T) {
	cases := []struct {
		names []string
		want  []string // parts of the error
	}{
		{[]string{"raid", "chat"}, []string{`"chat": the name is taken`}},
		{[]string{"raid", "raid"}, []string{`"raid": the name is taken`}},
		{[]string{"", "A", "ok", "a b", strings.Repeat("x", 33)}, []string{`type ""`, `type "A"`, `type "a b"`, `xx": want 1 to 32`}},
		{[]string{"a]\n["}, []string{`"a]\n["`}},
		{make([]string, 49), []string{"49 custom log types: at most 48"}},
	}
	for _, c := range cases {
		types, err := NewTypes(c.names...)
		if err == nil || types != nil {
			t.Errorf("%q: got %v and %v", c.names, types, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: got %q, want %s in it", c.names, err, part)
			}
		}
	}
}

func TestFlagsAndKindsHaveWords(t *testing.T) {
	if got := (FlagCut | FlagTombstone | 1<<7).String() + Flags(0).String(); got != "tombstone|cut" {
		t.Errorf("flags: %q", got)
	}
	if got := KindJSON.String() + KindString.String() + Kind(9).String(); got != "jsonstringkind(9)" {
		t.Errorf("kinds: %q", got)
	}
}
