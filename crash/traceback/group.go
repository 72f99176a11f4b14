package traceback

import (
	"cmp"
	"slices"
	"strconv"
)

// maxIDs is how many goroutines of a group are named.
const maxIDs = 16

// Stack is what goroutines with one state and one stack have in common.
type Stack struct {
	Frames []Frame // of the first of them; read-only
	State  string
	Count  int
	IDs    []uint64          // of the first 16
	Labels map[string]string // that all of them have
}

// Group puts goroutines of equal state and stack together: functions, files and lines count, arguments do not. The
// largest group comes first; groups of one size stay in the order of their first goroutines.
func Group(gs []Goroutine) []Stack {
	groups := []Stack{}
	places := map[string]int{}
	var key []byte
	for i := range gs {
		g := &gs[i]
		key = appendKey(key[:0], g)
		at, ok := places[string(key)]
		if !ok {
			at = len(groups)
			places[string(key)] = at
			groups = append(groups, Stack{Frames: g.Frames, State: g.State, Labels: g.Labels})
		}
		groups[at].add(g)
	}
	slices.SortStableFunc(groups, func(a, b Stack) int { return cmp.Compare(b.Count, a.Count) })
	return groups
}

func (s *Stack) add(g *Goroutine) {
	s.Count++
	if len(s.IDs) < maxIDs {
		s.IDs = append(s.IDs, g.ID)
	}
	s.Labels = common(s.Labels, g.Labels)
}

// common returns the labels that both have: a itself where that is all of them.
func common(a, b map[string]string) map[string]string {
	same := 0
	for key, value := range a {
		if other, ok := b[key]; ok && other == value {
			same++
		}
	}
	if same == len(a) {
		return a
	}
	if same == 0 {
		return nil
	}
	both := make(map[string]string, same)
	for key, value := range a {
		if other, ok := b[key]; ok && other == value {
			both[key] = value
		}
	}
	return both
}

func appendKey(key []byte, g *Goroutine) []byte {
	key = append(append(key, g.State...), 0)
	for i := range g.Frames {
		f := &g.Frames[i]
		key = append(append(key, f.Func...), 0)
		key = append(append(key, f.File...), ':')
		key = strconv.AppendInt(key, int64(f.Line), 10)
	}
	return key
}
