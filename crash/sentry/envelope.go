package sentry

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// errDamaged means that a file of the spool is no envelope.
var errDamaged = errors.New("not an envelope")

// envelope is one event and what is attached to it.
type envelope struct {
	id    string
	items []item // the event first
}

// item is a part of an envelope.
type item struct {
	Type        string `json:"type"`
	Length      int    `json:"length"`
	ContentType string `json:"content_type,omitempty"`
	Filename    string `json:"filename,omitempty"`
	payload     []byte
}

// header is the first line of an envelope. It holds no DSN, which is a key, and no sent_at, by which Sentry would move the
// event's time when the envelope waited in the spool.
type header struct {
	EventID string `json:"event_id"`
}

// write encodes the envelope as one gzip member.
func (e *envelope) write(w io.Writer) error {
	z := gzip.NewWriter(w)
	out := json.NewEncoder(z)
	err := out.Encode(header{e.id})
	for _, it := range e.items {
		it.Length = len(it.payload)
		err = errors.Join(err, out.Encode(it))
		_, e1 := z.Write(it.payload)
		_, e2 := z.Write([]byte{'\n'})
		err = errors.Join(err, e1, e2)
		if err != nil {
			break
		}
	}
	return errors.Join(err, z.Close())
}

// bytes encodes the envelope in memory.
func (e *envelope) bytes() ([]byte, error) {
	var b bytes.Buffer
	err := e.write(&b)
	return b.Bytes(), err
}

// strip leaves the event alone. False: there was nothing else.
func (e *envelope) strip() bool {
	if len(e.items) < 2 {
		return false
	}
	e.items = e.items[:1]
	return true
}

// parseEnvelope reads what write wrote. All else is errDamaged.
func parseEnvelope(id string, packed []byte) (*envelope, error) {
	raw, err := inflate(packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return parseRaw(id, raw)
}

// parseRaw is parseEnvelope for what is in the gzip member.
func parseRaw(id string, raw []byte) (*envelope, error) {
	var h header
	line, rest, _ := bytes.Cut(raw, []byte{'\n'})
	if err := json.Unmarshal(line, &h); err != nil || h.EventID != id {
		return nil, fmt.Errorf("%w: its header is not of event %s", errDamaged, id)
	}
	e := &envelope{id: id}
	for len(rest) > 0 {
		var it item
		var err error
		if it, rest, err = parseItem(rest); err != nil {
			return nil, err
		}
		e.items = append(e.items, it)
	}
	if len(e.items) == 0 || e.items[0].Type != "event" || !json.Valid(e.items[0].payload) {
		return nil, fmt.Errorf("%w: it has no event", errDamaged)
	}
	return e, nil
}

func parseItem(raw []byte) (item, []byte, error) {
	var it item
	line, rest, ok := bytes.Cut(raw, []byte{'\n'})
	if err := json.Unmarshal(line, &it); err != nil || !ok {
		return it, nil, fmt.Errorf("%w: bad item header", errDamaged)
	}
	if it.Length < 0 || it.Length >= len(rest) || rest[it.Length] != '\n' {
		return it, nil, fmt.Errorf("%w: an item of %d bytes does not end there", errDamaged, it.Length)
	}
	it.payload = rest[:it.Length:it.Length]
	return it, rest[it.Length+1:], nil
}

// inflate unpacks at most maxRaw bytes.
func inflate(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxRaw+1))
	if err == nil && len(raw) > maxRaw {
		err = errTooLarge
	}
	return raw, err
}
