package query

import (
	"regexp"

	"vitrine/logx/record"
)

// matcher decides about records of one segment. It is a value: each unit has its own.
type matcher struct {
	from, to     uint64 // to 0 = no end
	since, until int64  // until not included, but for the last moment there is
	levels       record.Levels
	types        uint64
	session      uint64
	trace        [16]byte
	grep         *regexp.Regexp
}

// matcher makes the decision for the segments that number types so.
func (q *Query) matcher(t *record.Types) matcher {
	m := matcher{from: q.From, to: q.To, levels: record.AtLeast(max(q.MinLevel, record.Debug)), types: q.typeSet(t),
		session: q.Session, trace: q.Trace, grep: q.Grep}
	m.since, m.until = q.bounds()
	return m
}

// head decides by what needs no payload.
func (m *matcher) head(h *record.Head) bool {
	return h.Index >= m.from && (m.to == 0 || h.Index < m.to) &&
		(m.session == 0 || h.Session == m.session) &&
		m.levels.Has(h.Level) && m.types>>h.Type&1 != 0 &&
		h.Time >= m.since && (h.Time < m.until || m.until == noUntil)
}

// noSince and noUntil are the ends of a range of times that has none.
const (
	noSince = -1 << 63
	noUntil = 1<<63 - 1
)

// id decides by the trace id of a record whose head is right.
func (m *matcher) id(v record.View) bool {
	if m.trace == [16]byte{} {
		return true
	}
	trace, _ := v.Trace()
	return trace == m.trace
}

// grepper decides by the text of records. It keeps what it allocates; one goroutine owns it.
type grepper struct {
	rec   record.Record
	text  []byte
	block []byte // room for the next block that is read
}

// match tells whether message and fields of an intact record match. The error says that it holds nonsense.
func (g *grepper) match(re *regexp.Regexp, v record.View) (bool, error) {
	if re == nil {
		return true, nil
	}
	if err := v.Decode(&g.rec); err != nil {
		return false, err
	}
	g.text = append(g.text[:0], g.rec.Message...)
	for i := range g.rec.Fields {
		g.text = g.rec.Fields[i].AppendText(append(g.text, ' '))
	}
	return re.Match(g.text), nil
}
