package sentrytest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// event reads the payload of an event and checks what Sentry would drop or refuse.
func (e *Event) event(payload []byte) error {
	if len(payload) > MaxEvent {
		return fmt.Errorf("an event of %d bytes, the limit is %d", len(payload), MaxEvent)
	}
	if !utf8.Valid(payload) {
		return fmt.Errorf("an event that is not UTF-8")
	}
	var shape shape
	if err := json.Unmarshal(payload, &shape); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	if err := shape.check(e.ID); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	e.JSON = payload
	return json.Unmarshal(payload, &e.Fields)
}

// shape is what must be right in an event.
type shape struct {
	EventID   string            `json:"event_id"`
	Timestamp *time.Time        `json:"timestamp"`
	Platform  string            `json:"platform"`
	Level     string            `json:"level"`
	Release   string            `json:"release"`
	Tags      map[string]string `json:"tags"`
	Exception []struct {
		Type       string `json:"type"`
		Value      string `json:"value"`
		ThreadID   uint64 `json:"thread_id"`
		Stacktrace *stack `json:"stacktrace"`
	} `json:"exception"`
	Threads []struct {
		ID         string `json:"id"`
		Crashed    bool   `json:"crashed"`
		Stacktrace *stack `json:"stacktrace"`
	} `json:"threads"`
	Contexts    map[string]map[string]any `json:"contexts"`
	Breadcrumbs []struct {
		Timestamp *time.Time `json:"timestamp"`
	} `json:"breadcrumbs"`
}

type stack struct {
	Frames []frame `json:"frames"`
}

type frame struct {
	Function string `json:"function"`
	Filename string `json:"filename"`
	AbsPath  string `json:"abs_path"`
}

func (f frame) empty() bool { return f == frame{} }

// levels that Sentry knows.
var levels = []string{"debug", "info", "warning", "error", "fatal"}

func (s *shape) check(id string) error {
	switch {
	case s.EventID != id:
		return fmt.Errorf("id %q in an envelope of %q", s.EventID, id)
	case s.Timestamp == nil || s.Timestamp.IsZero():
		return fmt.Errorf("no timestamp")
	case s.Platform != "go":
		return fmt.Errorf("platform %q", s.Platform)
	case !slices.Contains(levels, s.Level):
		return fmt.Errorf("level %q", s.Level)
	case len(s.Exception) == 0:
		return fmt.Errorf("no exception")
	case len(s.Release) > 200:
		return fmt.Errorf("a release of %d bytes", len(s.Release))
	}
	for name, value := range s.Tags {
		if len(name) > 32 || name == "" || utf8.RuneCountInString(value) > 200 || value == "" {
			return fmt.Errorf("tag %q = %q", name, value)
		}
	}
	return s.checkStacks()
}

// checkStacks wants frames with a function or a file, and threads with different ids.
func (s *shape) checkStacks() error {
	ids := map[string]bool{}
	stacks := []*stack{}
	for _, x := range s.Exception {
		if x.Type == "" && x.Value == "" {
			return fmt.Errorf("an exception without type and value")
		}
		stacks = append(stacks, x.Stacktrace)
	}
	for _, t := range s.Threads {
		if t.ID == "" || ids[t.ID] {
			return fmt.Errorf("thread %q twice, or without an id", t.ID)
		}
		ids[t.ID] = true
		stacks = append(stacks, t.Stacktrace)
	}
	for _, k := range stacks {
		if k != nil && slices.ContainsFunc(k.Frames, frame.empty) {
			return fmt.Errorf("a frame without function and file")
		}
	}
	return nil
}
