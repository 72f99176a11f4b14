package traceback

import "encoding/json"

// maxStacks is how many groups AppendJSON writes out.
const maxStacks = 1000

// jsonDump is goroutines.json. It holds no reason, arguments or addresses: those can hold values, and the file leaves
// the machine.
type jsonDump struct {
	Goroutines int            `json:"goroutines"`
	Cut        bool           `json:"cut"`
	LeftOut    int            `json:"left_out,omitempty"` // goroutines in groups beyond the first 1000
	Crashed    *jsonGoroutine `json:"crashed,omitempty"`
	Runtime    []jsonFrame    `json:"runtime,omitempty"`
	Stacks     []jsonStack    `json:"stacks"`
}

type jsonStack struct {
	Count  int               `json:"count"`
	State  string            `json:"state"`
	IDs    []uint64          `json:"ids"`
	Labels map[string]string `json:"labels,omitempty"`
	Frames []jsonFrame       `json:"frames"`
}

type jsonGoroutine struct {
	ID      uint64            `json:"id"`
	State   string            `json:"state"`
	Minutes int               `json:"minutes,omitempty"`
	Locked  bool              `json:"locked,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	Elided  bool              `json:"elided,omitempty"`
	Frames  []jsonFrame       `json:"frames"`
	Created *jsonFrame        `json:"created,omitempty"`
	Creator uint64            `json:"creator,omitempty"`
}

type jsonFrame struct {
	Func string `json:"func"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// MarshalJSON returns the dump with its goroutines grouped, so that 100,000 of them make a small file: at most 1000
// groups are written out, the goroutines of the others are counted as left_out. Reason, arguments and addresses are not
// in it.
func (d *Dump) MarshalJSON() ([]byte, error) {
	out := jsonDump{Goroutines: len(d.Goroutines), Cut: d.Cut, Runtime: jsonFrames(d.Runtime), Stacks: []jsonStack{}}
	if g := d.Crashed(); g != nil {
		out.Crashed = g.json()
	}
	for i, s := range Group(d.Goroutines) {
		if i >= maxStacks {
			out.LeftOut += s.Count
			continue
		}
		out.Stacks = append(out.Stacks, jsonStack{s.Count, s.State, s.IDs, s.Labels, jsonFrames(s.Frames)})
	}
	return json.Marshal(out)
}

// AppendJSON appends what MarshalJSON returns and a newline.
func AppendJSON(dst []byte, d *Dump) []byte {
	text, err := d.MarshalJSON()
	if err != nil {
		panic("traceback: plain data has no JSON: " + err.Error())
	}
	return append(append(dst, text...), '\n')
}

func (g *Goroutine) json() *jsonGoroutine {
	out := &jsonGoroutine{
		ID: g.ID, State: g.State, Minutes: g.Minutes, Locked: g.Locked, Labels: g.Labels,
		Elided: g.Elided, Frames: jsonFrames(g.Frames), Creator: g.Creator,
	}
	if g.Created.Func != "" {
		out.Created = &jsonFrame{g.Created.Func, g.Created.File, g.Created.Line}
	}
	return out
}

func jsonFrames(frames []Frame) []jsonFrame {
	out := make([]jsonFrame, len(frames))
	for i, f := range frames {
		out[i] = jsonFrame{f.Func, f.File, f.Line}
	}
	return out
}
