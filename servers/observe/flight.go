package observe

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vitrine/core/engine"
	"vitrine/core/flight"
	"vitrine/core/session"
)

// Bounds of the parameter last of /flight.
const (
	defaultLast = 64
	maxLast     = 4096
)

// Where the records of a History come from.
const (
	FromRing = "ring" // the workers' rings, which hold each worker's last records
	FromKept = "kept" // what was kept when the session ended abnormally
)

// Flight is the answer of /flight: what is known of a session's packets. Ids are unique within a server, so more than one
// may know a session of this id.
type Flight struct {
	Session   string    `json:"session"`
	Histories []History `json:"histories"`
}

// History is what one server knows of a session.
type History struct {
	Server  string   `json:"server"`
	Live    bool     `json:"live"` // the session has not left
	From    string   `json:"from"` // FromRing or FromKept
	Records []Record `json:"records"`
}

// Record is a [flight.Record] for people and tools.
type Record struct {
	Ref    string    `json:"ref"` // names the record in logs and traces
	At     time.Time `json:"at"`  // when it was received
	Kind   string    `json:"kind"`
	Worker uint16    `json:"worker"`
	Seq    uint64    `json:"seq"` // number in the worker's ring
	Type   uint16    `json:"type"`
	Size   uint32    `json:"size_bytes"`
	Out    uint32    `json:"out_bytes"` // what its handler sent
	Wait   uint32    `json:"wait_ns"`   // from its receipt to the start of its group
	Handle uint32    `json:"handle_ns"` // the time of its whole group, 0 until that is over
	Group  uint8     `json:"group"`     // packets in the group
	Pos    uint8     `json:"pos"`       // its place in the group
	Error  uint16    `json:"error"`
	Flags  []string  `json:"flags"`
	Cause  string    `json:"cause,omitempty"` // the record it follows from
}

// Flight returns the last records of a session from every server that knows any, at most last from each. Any goroutine.
func (st *Stack) Flight(id session.ID, last int) Flight {
	found := Flight{Session: id.String(), Histories: []History{}}
	for _, s := range st.added() {
		if h, ok := s.engine.Flight(id, last); ok {
			found.Histories = append(found.Histories, historyOf(s.name, h))
		}
	}
	return found
}

func historyOf(server string, h engine.History) History {
	out := History{Server: server, Live: h.Live, From: FromRing, Records: make([]Record, 0, len(h.Records))}
	if h.Kept {
		out.From = FromKept
	}
	zero := time.Now().Add(-time.Duration(h.Now)) // of the clock that stamped the records
	for i := range h.Records {
		out.Records = append(out.Records, recordOf(&h.Records[i], zero))
	}
	return out
}

func recordOf(r *flight.Record, zero time.Time) Record {
	out := Record{
		Ref: refText(r.Ref()), At: zero.Add(time.Duration(r.Recv)).UTC(), Kind: r.Kind.String(),
		Worker: r.Worker, Seq: r.Seq, Type: r.Type, Size: r.Size, Out: r.Out, Wait: r.Wait, Handle: r.Handle,
		Group: r.Group, Pos: r.Pos, Error: r.Err, Flags: []string{},
	}
	if text := r.Flags.String(); text != "" {
		out.Flags = strings.Split(text, "|")
	}
	if r.Cause.Seq() != 0 {
		out.Cause = refText(r.Cause)
	}
	return out
}

func refText(ref flight.Ref) string { return strconv.FormatUint(uint64(ref), 10) }

// flightPage answers /flight?session=ID&last=N.
func (st *Stack) flightPage(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	id, err := session.ParseID(query.Get("session"))
	if err != nil || id == 0 {
		problem(w, http.StatusBadRequest, fmt.Sprintf("session %.40q: want the decimal id of a session", query.Get("session")))
		return
	}
	last := defaultLast
	if text := query.Get("last"); text != "" {
		if last, err = strconv.Atoi(text); err != nil || last < 1 || last > maxLast {
			problem(w, http.StatusBadRequest, fmt.Sprintf("last %.40q: want 1 to %d", text, maxLast))
			return
		}
	}
	found := st.Flight(id, last)
	if len(found.Histories) == 0 {
		problem(w, http.StatusNotFound, "session "+id.String()+": no server has a record of it")
		return
	}
	writeJSON(w, http.StatusOK, found)
}

// problem answers that a request cannot be met, and why.
func problem(w http.ResponseWriter, code int, text string) {
	writeJSON(w, code, struct {
		Error string `json:"error"`
	}{text})
}
