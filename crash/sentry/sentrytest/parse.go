package sentrytest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"
)

// read takes a request apart. It returns all bytes that came, also when something is wrong with them.
func read(r *http.Request) (e Event, came [][]byte, problem error) {
	head, _ := httputil.DumpRequest(r, false)
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxCompressed+1))
	came = [][]byte{head, body}
	if err != nil {
		return e, came, fmt.Errorf("read body: %w", err)
	}
	raw, err := unpack(r.Header.Get("Content-Encoding"), body)
	came = append(came, raw)
	if err == nil {
		e, err = envelope(raw)
	}
	return e, came, errors.Join(request(r), err)
}

// request checks all but the body.
func request(r *http.Request) error {
	auth := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("X-Sentry-Auth"), "Sentry "), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		auth[name] = value
	}
	switch {
	case r.Method != http.MethodPost || r.URL.Path != path:
		return fmt.Errorf("%s %s, want POST %s", r.Method, r.URL.Path, path)
	case r.Header.Get("Content-Type") != "application/x-sentry-envelope":
		return fmt.Errorf("content type %q", r.Header.Get("Content-Type"))
	case auth["sentry_version"] != "7" || auth["sentry_key"] != key || auth["sentry_client"] == "":
		return fmt.Errorf("X-Sentry-Auth %q", r.Header.Get("X-Sentry-Auth"))
	case r.ContentLength < 0:
		return errors.New("no Content-Length")
	}
	return nil
}

// unpack takes one gzip member and nothing behind it.
func unpack(encoding string, body []byte) ([]byte, error) {
	switch {
	case len(body) > MaxCompressed:
		return nil, fmt.Errorf("more than %d bytes", MaxCompressed)
	case encoding == "":
		return body, nil
	case encoding != "gzip":
		return nil, fmt.Errorf("content encoding %q", encoding)
	}
	rest := bytes.NewReader(body)
	z, err := gzip.NewReader(rest)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	raw, err := io.ReadAll(io.LimitReader(z, MaxEnvelope+1))
	switch {
	case err != nil:
		return raw, fmt.Errorf("gzip: %w", err)
	case len(raw) > MaxEnvelope:
		return raw, fmt.Errorf("more than %d bytes unpacked", MaxEnvelope)
	case rest.Len() != 0:
		return raw, fmt.Errorf("%d bytes behind the gzip member", rest.Len())
	}
	return raw, nil
}

// envelope reads header and items to the last byte.
func envelope(raw []byte) (Event, error) {
	var head struct {
		EventID string     `json:"event_id"`
		SentAt  *time.Time `json:"sent_at"`
		DSN     string     `json:"dsn"`
	}
	rest, err := line(raw, &head)
	if err != nil {
		return Event{}, fmt.Errorf("envelope header: %w", err)
	}
	if !isID(head.EventID) {
		return Event{}, fmt.Errorf("envelope header: event id %q", head.EventID)
	}
	e := Event{ID: head.EventID}
	for n := 1; len(rest) > 0; n++ {
		if rest, err = e.item(rest); err != nil {
			return e, fmt.Errorf("item %d: %w", n, err)
		}
	}
	if e.JSON == nil {
		return e, errors.New("an envelope without an event")
	}
	return e, nil
}

// item reads one item and adds it to the event.
func (e *Event) item(raw []byte) (rest []byte, err error) {
	var head struct {
		Type        string `json:"type"`
		Length      *int   `json:"length"`
		ContentType string `json:"content_type"`
		Filename    string `json:"filename"`
	}
	if rest, err = line(raw, &head); err != nil {
		return nil, err
	}
	if head.Length == nil || *head.Length < 0 || *head.Length > len(rest) {
		return nil, fmt.Errorf("length missing, or not within the %d bytes left", len(rest))
	}
	payload, rest := rest[:*head.Length], rest[*head.Length:]
	if len(rest) > 0 && rest[0] != '\n' {
		return nil, fmt.Errorf("no line feed after %d bytes of payload", *head.Length)
	}
	rest = bytes.TrimPrefix(rest, []byte{'\n'})
	switch {
	case head.Type == "event" && e.JSON == nil:
		return rest, e.event(payload)
	case head.Type == "attachment" && head.Filename != "" && !strings.ContainsAny(head.Filename, `/\`):
		e.Attachments = append(e.Attachments, Attachment{head.Filename, head.ContentType, payload})
		return rest, nil
	}
	return nil, fmt.Errorf("type %q, file name %q", head.Type, head.Filename)
}

// line reads a JSON object that ends with its line.
func line(raw []byte, into any) (rest []byte, err error) {
	text, rest, ended := bytes.Cut(raw, []byte{'\n'})
	if !ended {
		return nil, errors.New("no line feed")
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, fmt.Errorf("no JSON object: %.60q", text)
	}
	return rest, json.Unmarshal(text, into)
}

// isID tells whether a text is an event id as the protocol wants it.
func isID(text string) bool {
	return len(text) == 32 && strings.Trim(text, "0123456789abcdef") == ""
}
