package sentrytest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

var id = strings.Repeat("ab", 16)

// event is a good event, with more fields where they are given.
func event(more string) string {
	return `{"event_id":"` + id + `","timestamp":"2026-11-22T17:44:43Z","platform":"go","level":"fatal","exception":[{"type":"panic"}]` + more + `}`
}

func item(kind, payload string) string {
	return fmt.Sprintf("{\"type\":%q,\"length\":%d,\"filename\":\"a.txt\"}\n%s\n", kind, len(payload), payload)
}

func head() string { return `{"event_id":"` + id + "\"}\n" }

func packed(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.Bytes()
}

// post sends a body with good headers, as change leaves them.
func post(t *testing.T, s *Sink, body []byte, change func(*http.Request)) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL()+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-sentry-envelope")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("X-Sentry-Auth", "Sentry sentry_version=7, sentry_client=test/1, sentry_key="+key)
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer.StatusCode
}

func TestGoodEnvelopesAreKept(t *testing.T) {
	for name, text := range map[string]string{
		"event":                head() + item("event", event("")),
		"no line feed at end":  strings.TrimSuffix(head()+item("event", event("")), "\n"),
		"attachments":          head() + item("event", event("")) + item("attachment", "\n{}\n") + item("attachment", ""),
		"attachment first":     head() + item("attachment", "a\nb") + item("event", event("")),
		"frames and threads":   head() + item("event", event(`,"threads":[{"id":"1","stacktrace":{"frames":[{"function":"f"}]}}]`)),
		"tags and breadcrumbs": head() + item("event", event(`,"tags":{"a":"b"},"breadcrumbs":[{"message":"x"}]`)),
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			defer s.Close()
			if status := post(t, s, packed(text), nil); status != http.StatusOK || len(s.Events()) != 1 || len(s.Problems()) != 0 {
				t.Errorf("%d, %d events, %v", status, len(s.Events()), s.Problems())
			}
		})
	}
}

func TestBadEnvelopesAreRefused(t *testing.T) {
	good := head() + item("event", event(""))
	long := strings.Repeat("x", 201)
	for name, text := range map[string]string{
		"empty": "", "header alone": head(), "no header": item("event", event("")), "header without id": "{}\n" + item("event", event("")),
		"id in capitals":    strings.ReplaceAll(good, id, strings.ToUpper(id)),
		"id of another":     `{"event_id":"` + strings.Repeat("cd", 16) + "\"}\n" + item("event", event("")),
		"header is a list":  "[]\n" + item("event", event("")),
		"two events":        good + item("event", event("")),
		"empty line":        good + "\n",
		"unknown item":      good + item("nonsense", "x"),
		"no length":         head() + "{\"type\":\"event\"}\n" + event("") + "\n",
		"length too long":   head() + strings.Replace(item("event", event("")), `"length":`, `"length":9`, 1),
		"length too short":  head() + strings.Replace(item("event", event("")), fmt.Sprint(len(event(""))), fmt.Sprint(len(event(""))-1), 1),
		"negative length":   head() + strings.Replace(item("event", event("")), `"length":`, `"length":-`, 1),
		"attachment's path": good + strings.Replace(item("attachment", "x"), "a.txt", "../a.txt", 1),
		"no name":           good + strings.Replace(item("attachment", "x"), "a.txt", "", 1),
		"event is no JSON":  head() + item("event", "hello"),
		"no timestamp":      strings.Replace(good, `"timestamp"`, `"timestomp"`, 1),
		"platform":          strings.Replace(good, `"go"`, `"no"`, 1),
		"level":             strings.Replace(good, `"fatal"`, `"fatul"`, 1),
		"exception":         strings.Replace(good, `{"type":"panic"}`, `{"typo":"panic"}`, 1),
		"long tag":          head() + item("event", event(`,"tags":{"a":"`+long+`"}`)),
		"tag without value": head() + item("event", event(`,"tags":{"a":""}`)),
		"long release":      head() + item("event", event(`,"release":"`+long+`"`)),
		"thread twice":      head() + item("event", event(`,"threads":[{"id":"1"},{"id":"1"}]`)),
		"empty frame":       head() + item("event", event(`,"threads":[{"id":"1","stacktrace":{"frames":[{}]}}]`)),
		"large event":       head() + item("event", event(`,"x":"`+strings.Repeat("x", MaxEvent)+`"`)),
		"not UTF-8":         head() + item("event", event(`,"x":"`+"\xff"+`"`)),
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			defer s.Close()
			if status := post(t, s, packed(text), nil); status != http.StatusBadRequest || len(s.Events()) != 0 || len(s.Problems()) != 1 {
				t.Errorf("%d, %d events, %v", status, len(s.Events()), s.Problems())
			}
		})
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	good := packed(head() + item("event", event("")))
	for name, c := range map[string]struct {
		body   []byte
		change func(*http.Request)
	}{
		"method": {good, func(r *http.Request) { r.Method = http.MethodPut }},
		"path":   {good, func(r *http.Request) { r.URL.Path = "/api/1/envelope/" }},
		"key": {good, func(r *http.Request) {
			r.Header.Set("X-Sentry-Auth", "Sentry sentry_version=7, sentry_client=a, sentry_key=b")
		}},
		"no key":        {good, func(r *http.Request) { r.Header.Del("X-Sentry-Auth") }},
		"content type":  {good, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }},
		"encoding":      {good, func(r *http.Request) { r.Header.Set("Content-Encoding", "br") }},
		"not packed":    {good, func(r *http.Request) { r.Header.Del("Content-Encoding") }},
		"no length":     {good, func(r *http.Request) { r.ContentLength = -1 }},
		"torn":          {good[:len(good)-3], nil},
		"bytes behind":  {append(good[:len(good):len(good)], 0), nil},
		"second member": {append(good[:len(good):len(good)], good...), nil},
		"empty":         {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			defer s.Close()
			if status := post(t, s, c.body, c.change); status != http.StatusBadRequest || len(s.Events()) != 0 || len(s.Problems()) != 1 {
				t.Errorf("%d, %d events, %v", status, len(s.Events()), s.Problems())
			}
		})
	}
}

func TestEventsAreCountedByID(t *testing.T) {
	s := New()
	defer s.Close()
	body := packed(head() + item("event", event("")) + item("attachment", "canary"))
	for range 3 {
		post(t, s, body, nil)
	}
	events := s.Events()
	if len(events) != 1 || events[0].Times != 3 || events[0].ID != id || string(events[0].Attachment("a.txt")) != "canary" || events[0].Fields["platform"] != "go" {
		t.Errorf("%+v", events)
	}
	if !s.Has("canary") || !s.Has(key) || s.Has("sparrow") {
		t.Error("what came is not found")
	}
}

func TestBadDays(t *testing.T) {
	s := New()
	defer s.Close()
	body := packed(head() + item("event", event("")))
	s.Down(true)
	if status := post(t, s, body, nil); status != 0 || s.Requests() != 0 {
		t.Errorf("down: %d, %d requests", status, s.Requests())
	}
	s.Down(false)
	s.AnswerAfter(http.StatusTooManyRequests, "7")
	if status := post(t, s, body, nil); status != http.StatusTooManyRequests || len(s.Events()) != 0 {
		t.Errorf("limited: %d, %d events", status, len(s.Events()))
	}
	s.Answer(0)
	s.Judge(func(e Event) int { return map[bool]int{true: http.StatusForbidden}[e.ID == id] })
	if status := post(t, s, body, nil); status != http.StatusForbidden || len(s.Events()) != 0 {
		t.Errorf("judged: %d, %d events", status, len(s.Events()))
	}
	s.Judge(nil)
	if status := post(t, s, body, nil); status != http.StatusOK || len(s.Events()) != 1 || s.Requests() != 3 || len(s.Problems()) != 0 {
		t.Errorf("%d, %d events, %d requests, %v", status, len(s.Events()), s.Requests(), s.Problems())
	}
}
