package sentrytest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// The limits. A request beyond MaxRequests is answered with 503.
const (
	MaxRequests   = 1 << 16
	MaxCompressed = 20 << 20
	MaxEnvelope   = 100 << 20
	MaxEvent      = 1 << 20
)

// The key and the project of the sink's DSN.
const (
	key     = "0123456789abcdef0123456789abcdef"
	project = "42"
	path    = "/api/" + project + "/envelope/"
)

// Event is an event that the sink accepted.
type Event struct {
	ID          string
	Times       int            // how often it came
	Fields      map[string]any // the event as JSON
	JSON        []byte         // the same as it came
	Attachments []Attachment
}

// Attachment is a file that came with an event.
type Attachment struct {
	Name        string
	ContentType string
	Data        []byte
}

// Attachment gives a file by its name, nil when it did not come.
func (e Event) Attachment(name string) []byte {
	for _, a := range e.Attachments {
		if a.Name == name {
			return a.Data
		}
	}
	return nil
}

// Sink is a Sentry with one project. Any goroutine may use it.
type Sink struct {
	server *httptest.Server // fixed after New

	mu         sync.Mutex
	down       bool             // guarded by mu
	status     int              // guarded by mu; 0 = as the envelope deserves
	retryAfter string           // guarded by mu
	judge      func(Event) int  // guarded by mu
	requests   int              // guarded by mu
	order      []string         // guarded by mu; ids as they first came
	events     map[string]Event // guarded by mu
	problems   []string         // guarded by mu
	received   [][]byte         // guarded by mu; each request as text and unpacked
}

// New starts a sink on a port of the loopback interface. The caller closes it. It panics when there is no port, as
// httptest does.
func New() *Sink {
	s := &Sink{events: map[string]Event{}}
	s.server = httptest.NewServer(s)
	return s
}

// Close stops the sink and waits for requests that are being answered.
func (s *Sink) Close() { s.server.Close() }

// URL is where the sink listens, without a path.
func (s *Sink) URL() string { return s.server.URL }

// DSN is what a client is configured with.
func (s *Sink) DSN() string {
	return strings.Replace(s.server.URL, "://", "://"+key+"@", 1) + "/" + project
}

// Down makes the sink drop every connection without an answer, or ends that.
func (s *Sink) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Answer makes the sink refuse every envelope with a status, unread; 0 ends that.
func (s *Sink) Answer(status int) { s.AnswerAfter(status, "") }

// AnswerAfter is Answer with a Retry-After header, in seconds or as a date.
func (s *Sink) AnswerAfter(status int, retryAfter string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.retryAfter = status, retryAfter
}

// Judge asks f about every good envelope before it is kept: a status other than 0 refuses it with that. f may block; it
// runs on the goroutine of its request. nil ends that.
func (s *Sink) Judge(f func(Event) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judge = f
}

// Events gives what was accepted, each id once, in the order of their first coming.
func (s *Sink) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Event, 0, len(s.order))
	for _, id := range s.order {
		all = append(all, s.events[id])
	}
	return all
}

// Requests counts what was asked of the sink, refused or not, but not while it was down.
func (s *Sink) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Problems lists what broke the protocol.
func (s *Sink) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// Has tells whether a text is in any byte that came: in headers and bodies, packed or unpacked, of accepted and of
// refused requests.
func (s *Sink) Has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.received, func(b []byte) bool { return bytes.Contains(b, []byte(text)) })
}

// ServeHTTP is one request.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	down, status, retryAfter, judge := s.down, s.status, s.retryAfter, s.judge
	s.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler) // the server closes the connection
	}
	e, bytes, problem := read(r)
	if problem == nil && status == 0 && judge != nil {
		status = judge(e)
	}
	status = s.keep(e, bytes, problem, status)
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, "{\"id\":%q}", e.ID)
}

// keep writes down what came, and gives the status of the answer.
func (s *Sink) keep(e Event, bytes [][]byte, problem error, status int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests >= MaxRequests {
		return http.StatusServiceUnavailable
	}
	s.requests++
	s.received = append(s.received, bytes...)
	switch {
	case problem != nil:
		s.problems = append(s.problems, problem.Error())
		return http.StatusBadRequest
	case status != 0 && status != http.StatusOK:
		return status
	}
	old, again := s.events[e.ID]
	if !again {
		s.order = append(s.order, e.ID)
		old = e
	}
	old.Times++
	s.events[e.ID] = old
	return http.StatusOK
}
