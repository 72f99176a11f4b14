package logx

import (
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"vitrine/logx/record"
)

const (
	// maxFields is how many fields a record gets from attributes; the others are counted in a last one.
	maxFields = 1000

	// maxDepth is how deep groups may be nested. LogValuers that give groups of LogValuers could go on for ever.
	maxDepth = 16

	// keptFields and keptText are the largest buffers that stay with a scratch for the next record.
	keptFields = 128
	keptText   = 16 << 10
)

// scratch turns the attributes of one record into fields. One goroutine owns it at a time.
//
// Keys and values that had to be made lie in text, and fields point into it. Text only grows while a record is made: when
// it moves, fields keep the old bytes. They are valid until release, and nothing keeps them longer.
type scratch struct {
	front    *front // fixed
	entry    Entry
	explicit bool // entry.Session comes from an attribute
	fields   []record.Field
	prefix   []byte // of the keys: "a.b."
	secret   bool   // within a group that is masked whole
	text     []byte
	left     int // attributes that were beyond maxFields
}

// begin starts a record, or a preset, from a preset.
func (s *scratch) begin(p *preset) {
	s.fields = append(s.fields[:0], p.fields...)
	s.prefix = append(s.prefix[:0], p.prefix...)
	s.secret, s.left = p.secret, p.left
	s.entry.Type, s.entry.Session, s.explicit = p.typ, p.session, p.explicit
}

// end ends a record: it adds the count of what was left out.
func (s *scratch) end() {
	if s.left > 0 {
		s.fields = append(s.fields, record.Int(leftOutKey, s.left))
	}
}

// release gives the scratch back. It forgets what the fields point to, and buffers that have become large.
func (s *scratch) release() {
	clear(s.fields)
	s.entry, s.text = Entry{}, s.text[:0]
	if cap(s.fields) > keptFields {
		s.fields = nil
	}
	if cap(s.text)+cap(s.prefix) > keptText {
		s.text, s.prefix = nil, nil
	}
	s.front.scratches.Put(s)
}

// add converts one attribute. depth is the number of groups it is in, those without a key included.
func (s *scratch) add(a slog.Attr, depth int) {
	if len(s.fields) >= maxFields {
		s.left++
		return
	}
	secret := s.secret || s.front.mask.match(a.Key)
	if secret && a.Value.Kind() != slog.KindGroup {
		s.put(record.String(s.key(a.Key), maskText))
		return
	}
	v := a.Value
	if v.Kind() == slog.KindLogValuer {
		v = v.Resolve()
	}
	switch {
	case v.Kind() == slog.KindGroup:
		s.addGroup(a.Key, v.Group(), depth+1, secret)
	case a.Key == "" && v.Equal(slog.Value{}):
	case len(s.prefix) == 0 && s.take(a.Key, v):
	default:
		s.addValue(s.key(a.Key), v)
	}
}

// addGroup converts what a group holds. One without a key stands for that.
func (s *scratch) addGroup(name string, attrs []slog.Attr, depth int, secret bool) {
	if depth > maxDepth {
		s.put(record.String(s.key(name), "!ERROR: groups nested deeper than "+strconv.Itoa(maxDepth)))
		return
	}
	before, wasSecret := len(s.prefix), s.secret
	s.secret = secret
	if name != "" {
		s.prefix = append(append(s.prefix, name...), '.')
	}
	for _, a := range attrs {
		s.add(a, depth)
	}
	s.prefix, s.secret = s.prefix[:before], wasSecret
}

// take makes an attribute outside of all groups the type or the session of the record, when it can be one.
func (s *scratch) take(key string, v slog.Value) bool {
	switch key {
	case TypeKey:
		t, ok := s.front.parseType(v)
		if ok {
			s.entry.Type = t
		}
		return ok
	case SessionKey:
		id, ok := sessionOf(v)
		if ok {
			s.entry.Session, s.explicit = id, true
		}
		return ok
	}
	return false
}

func (s *scratch) put(f record.Field) { s.fields = append(s.fields, f) }

// key returns the key of an attribute of the group that is being converted.
func (s *scratch) key(name string) string {
	if len(s.prefix) == 0 {
		return name
	}
	start := len(s.text)
	s.text = append(append(s.text, s.prefix...), name...)
	return s.since(start)
}

// since returns the text from start on, without a copy.
func (s *scratch) since(start int) string {
	b := s.text[start:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// addSource adds where the call stands: the last folder and the file, which is short and tells nothing of the machine.
func (s *scratch) addSource(pc uintptr) {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	if frame.File == "" {
		return
	}
	file := frame.File
	if i := strings.LastIndexByte(file, '/'); i >= 0 {
		file = file[strings.LastIndexByte(file[:i], '/')+1:]
	}
	start := len(s.text)
	s.text = append(append(s.text, file...), ':')
	s.text = strconv.AppendInt(s.text, int64(frame.Line), 10)
	s.put(record.String(slog.SourceKey, s.since(start)))
}
