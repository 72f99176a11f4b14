package record

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// Level is how much a record matters. 0 is no level.
type Level uint8

// The levels, least first. System is for what the operator must see: start, stop, configuration.
const (
	Debug Level = 1 + iota
	Info
	Warn
	Error
	System
)

// levelNames are the words of the levels, by level.
var levelNames = [...]string{Debug: "DEBUG", Info: "INFO", Warn: "WARN", Error: "ERROR", System: "SYSTEM"}

// String gives the word of the level in capitals, "LEVEL(n)" when it has none.
func (l Level) String() string {
	if !l.valid() {
		return "LEVEL(" + strconv.Itoa(int(l)) + ")"
	}
	return levelNames[l]
}

func (l Level) valid() bool { return Debug <= l && l <= System }

// ParseLevel finds the level of a word, in small or capital letters. The error lists the words there are.
func ParseLevel(text string) (Level, error) {
	for l := Debug; l <= System; l++ {
		if strings.EqualFold(text, levelNames[l]) {
			return l, nil
		}
	}
	return 0, fmt.Errorf("unknown level %q: want debug, info, warn, error or system", text)
}

// LevelOf gives the level of a slog.Level; those between two named ones count as the lower.
func LevelOf(l slog.Level) Level {
	switch {
	case l < slog.LevelInfo:
		return Debug
	case l < slog.LevelWarn:
		return Info
	case l < slog.LevelError:
		return Warn
	case l < slog.LevelError+4:
		return Error
	default:
		return System
	}
}

// Slog gives the slog.Level that LevelOf turns back into l: -4, 0, 4, 8, 12.
func (l Level) Slog() slog.Level { return slog.Level(4*int(l) - 8) }

// Levels is a set of levels: bit n is level n.
type Levels uint8

// AtLeast gives the set of l and all levels above it.
func AtLeast(l Level) Levels {
	const all = 1<<Debug | 1<<Info | 1<<Warn | 1<<Error | 1<<System
	return all &^ (1<<l - 1)
}

// Has tells whether l is in the set.
func (s Levels) Has(l Level) bool { return s>>l&1 != 0 }
