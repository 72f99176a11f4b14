package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitrine/core/engine"
	"vitrine/core/flight"
)

// move is one record of flight.json with the moment it tells of.
type move struct {
	flight.Record
	server string
	owner  string // of whom it is, where the records of several are shown together
	at     time.Time
}

// recorded is what flight.json holds of one worker.
type recorded struct {
	Server    string          `json:"server"`
	Worker    uint16          `json:"worker"`
	Zero      time.Time       `json:"zero"` // the moment of stamp 0
	Packets   []flight.Record `json:"packets"`
	Lifecycle []flight.Record `json:"lifecycle"`
}

// maxMoves is how many records are kept of those that matter, the newest.
const maxMoves = 10_000

// takeFlight reads the records that matter: of the session that the report names, else of its worker, else of all. A file that was
// cut counts as far as it goes.
func (a *account) takeFlight(text []byte) {
	workers, err := readFlight(text)
	if err != nil {
		a.problem("flight.json", err)
	}
	w := &a.meta.Where
	session, _ := strconv.ParseUint(w.Session, 10, 64) // no number: 0, none
	mine := func(r *recorded) bool { return w.Server == "" || r.Server == "" || r.Server == w.Server }
	if session != 0 {
		a.whose = "session " + w.Session
		a.keep(workers, func(r *recorded, f *flight.Record) bool { return mine(r) && f.Session == session })
	}
	if len(a.moves) == 0 && w.Server != "" && w.Worker >= 0 {
		a.whose = fmt.Sprintf("worker %d of %s", w.Worker, w.Server)
		a.keep(workers, func(r *recorded, _ *flight.Record) bool { return mine(r) && int(r.Worker) == w.Worker })
		a.own(func(m *move) string { return fmt.Sprintf("session %d: ", m.Session) })
	}
	if len(a.moves) == 0 {
		a.whose = "all workers"
		a.keep(workers, func(*recorded, *flight.Record) bool { return true })
		a.own(func(m *move) string { return fmt.Sprintf("%s/%d session %d: ", visible(m.server), m.Worker, m.Session) })
	}
}

// own says of each record whose it is.
func (a *account) own(whose func(*move) string) {
	for i := range a.moves {
		a.moves[i].owner = whose(&a.moves[i])
	}
}

// readFlight reads the workers of flight.json, as many as are whole.
func readFlight(text []byte) (workers []recorded, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		var r recorded
		if err := d.Decode(&r); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = fmt.Errorf("the end is missing: %d workers were read", len(workers))
			}
			return workers, err
		}
		workers = append(workers, r)
	}
	return workers, nil
}

// keep takes the records that a test lets through, in the order of time.
func (a *account) keep(workers []recorded, lets func(*recorded, *flight.Record) bool) {
	for i := range workers {
		r := &workers[i]
		for _, records := range [][]flight.Record{r.Packets, r.Lifecycle} {
			for j := range records {
				if lets(r, &records[j]) {
					a.moves = append(a.moves, move{records[j], r.Server, "", r.Zero.Add(time.Duration(records[j].Recv))})
				}
			}
		}
	}
	slices.SortStableFunc(a.moves, func(x, y move) int { return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.Seq, y.Seq)) })
	a.moves = a.moves[max(0, len(a.moves)-maxMoves):]
}

// String says what the record tells: when, what, of whom, and how it came out. It holds nothing that a terminal obeys.
func (m *move) String() string {
	words := []string{m.at.UTC().Format("15:04:05.000000") + " " + m.owner + m.what()}
	add := func(so bool, format string, args ...any) { words = append(words, when(so, format, args...)) }
	add(m.Out > 0, "%d bytes out", m.Out)
	add(m.Handle > 0, "handled in %v", brief(time.Duration(m.Handle)))
	add(m.Err != 0 && m.Kind != flight.KindSession, "error %d", m.Err)
	if m.Flags&flight.FlagOpen != 0 {
		add(true, "in its handler")
	} else {
		add(m.Flags != 0, "%s", m.Flags)
	}
	return strings.Join(present(words), ", ")
}

// The types of records of the kind session, as the engine writes them.
const (
	sessionJoins  = 1
	sessionLeaves = 2
)

// what names the event.
func (m *move) what() string {
	switch {
	case m.Kind == flight.KindPacket:
		return fmt.Sprintf("packet type %d, %d bytes in", m.Type, m.Size)
	case m.Kind == flight.KindSession && m.Type == sessionJoins:
		return "session joined"
	case m.Kind == flight.KindSession && m.Type == sessionLeaves:
		return fmt.Sprintf("session left: %s, %d bytes in", engine.Reason(min(m.Err, math.MaxUint8)), m.Size)
	}
	return fmt.Sprintf("%s of type %d, %d", m.Kind, m.Type, m.Size)
}
