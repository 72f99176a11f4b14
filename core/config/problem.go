package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxProblems is how many problems an Error lists; the rest is counted in More.
const MaxProblems = 100

// Origin is the kind of place a value comes from; a later one wins over an earlier one.
type Origin uint8

// The origins, weakest first.
const (
	FromDefault Origin = iota
	FromFile
	FromEnv
	FromFlag
)

// Source tells where a value comes from. The zero Source is the default.
type Source struct {
	Origin Origin
	Name   string // the file, the environment variable, or the flag without its dashes, which is its key unless Options say so
	Line   int    // in the file; 0 when not known
}

// String is "default", "FILE:LINE", "env NAME" or "flag --NAME".
func (s Source) String() string {
	switch s.Origin {
	case FromFile:
		if s.Line == 0 {
			return s.Name
		}
		return s.Name + ":" + strconv.Itoa(s.Line)
	case FromEnv:
		return "env " + s.Name
	case FromFlag:
		return "flag --" + s.Name
	default:
		return "default"
	}
}

// Problem is one unknown key or bad value.
type Problem struct {
	Source  Source
	Key     string // dotted; an item of a list is "net.allow_from[1]"; empty when the whole source is meant
	Text    string // what is wrong, and what would be right; never the value of a secret
	Suggest string // the known key, variable or flag that is nearest; empty when none is near

	unknown string   // the whole word that is not known, for finding Suggest
	syntax  bool     // the source could not be read beyond this; Key is where that was noticed
	uses    []string // of a rule: the other keys whose values it looks at
}

// Using tells on which other keys of the struct the rule depends that was found broken, a table standing for all keys
// below it. The loader leaves the problem out when the value that the user meant for one of them is not there: what
// follows from a mistake that is reported is no mistake of its own.
func (p Problem) Using(keys ...string) Problem {
	p.uses = append(slices.Clone(p.uses), keys...)
	return p
}

// Error is "FILE:LINE: KEY: what is wrong (did you mean X?)".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Source.String())
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": " + p.Text)
	if p.Suggest != "" {
		b.WriteString(" (did you mean " + p.Suggest + "?)")
	}
	return b.String()
}

// Invalid makes the error that a Validate method returns, alone or joined with others by errors.Join: key is the
// key inside the struct that is validated ("" for the struct as a whole), and the loader adds where its value was set.
// The text is printed as it is: it must not hold the value of a secret. A rule that compares the key with others names
// them by Using; key "" stands for all of them.
func Invalid(key, format string, args ...any) Problem {
	return Problem{Key: key, Text: fmt.Sprintf(format, args...)}
}

// Error lists everything that is wrong with a configuration: file first by line, then environment, then flags.
type Error struct {
	Problems []Problem // at most MaxProblems
	More     int       // problems beyond that
}

// Error gives one line per problem.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	for _, p := range e.Problems {
		lines = append(lines, p.Error())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more problems", e.More))
	}
	return strings.Join(lines, "\n")
}

// asError sorts the problems and cuts the list at its limit; nil when there is none. Suggestions are found for what is
// left only, because they cost the most and a hostile file has thousands of unknown keys.
func (s *schema) asError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Source.Origin, b.Source.Origin),
			cmp.Compare(a.Source.Line, b.Source.Line),
			cmp.Compare(a.Source.Name, b.Source.Name),
			cmp.Compare(listOf(a.Key), listOf(b.Key)), // the items of a list are in order already
		)
	})
	n := min(len(problems), MaxProblems)
	for i := range problems[:n] {
		s.suggest(&problems[i])
	}
	return &Error{Problems: problems[:n:n], More: len(problems) - n}
}

// listOf gives the key of the list that an item is in, and any other key as it is.
func listOf(key string) string {
	list, _, _ := strings.Cut(key, "[")
	return list
}

// suggest finds the word that was meant where a problem is about an unknown one.
func (s *schema) suggest(p *Problem) {
	switch {
	case p.unknown == "":
	case p.Source.Origin == FromEnv:
		p.Suggest = nearest(p.unknown, s.variables())
	case p.Source.Origin == FromFlag:
		if p.Suggest = nearest(p.unknown, s.keys()); p.Suggest != "" {
			before, _ := strings.CutSuffix(p.Source.Name, printable(p.unknown, maxShown))
			p.Suggest = "--" + before + p.Suggest
		}
	default:
		p.Suggest = nearest(p.unknown, s.keys())
	}
}
