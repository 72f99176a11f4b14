package sentry

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	sentrygo "github.com/getsentry/sentry-go"

	"vitrine/crash/bundle"
	"vitrine/crash/scrub"
	"vitrine/crash/traceback"
)

// The limits of an event.
const (
	MaxEventBytes = 900_000 // of its JSON; Sentry takes 1 MB. Threads and breadcrumbs go first
	MaxThreads    = 100     // groups of goroutines with one stack, the largest first
	MaxFrames     = 100     // of a stack; the middle is left out
	MaxCrumbs     = 100     // last lines of the log
)

// mechanism names who saw the crash.
const mechanism = "go.crash_monitor"

// Event makes the event of a bundle: d is its crash.txt, crumbs the last lines of its log.tail, both may be nil. Every
// text in it went through s, ids in hex aside. Environment, release and server name are left to the caller, who owns
// the event. It reads its arguments alone.
func Event(m *bundle.Meta, d *traceback.Dump, crumbs []string, s *scrub.Scrubber) *sentrygo.Event {
	if d == nil {
		d = &traceback.Dump{}
	}
	x := newCleaner(s)
	g := subject(m, d)
	e := &sentrygo.Event{
		EventID:     sentrygo.EventID(EventID(m)),
		Timestamp:   m.Time.UTC(),
		Platform:    "go",
		Level:       level(m),
		Logger:      "crash",
		Sdk:         sentrygo.SdkInfo{Name: "sentry.go", Version: sentrygo.SDKVersion, Integrations: []string{"crash_monitor"}},
		Transaction: x.tag(m.Where.Callback),
		Release:     release(x, m.Build),
		Exception:   []sentrygo.Exception{x.exception(m, d, g)},
		Threads:     x.threads(m, d, g),
		Tags:        x.tags(m),
		Contexts:    x.contexts(m, d, g),
		Breadcrumbs: x.breadcrumbs(crumbs),
		Fingerprint: []string{fingerprint(m, g)},
	}
	fit(e)
	return e
}

// level: what ended the process is fatal, what it outlived an error, what somebody asked for is told.
func level(m *bundle.Meta) sentrygo.Level {
	switch {
	case m.Class == bundle.ClassLive:
		return sentrygo.LevelInfo
	case m.Handled || m.Class == bundle.ClassPanic || m.Class == bundle.ClassHang:
		return sentrygo.LevelError
	}
	return sentrygo.LevelFatal
}

// release names the build: the revision, else module and version, in the characters that Sentry takes.
func release(x *cleaner, b bundle.Build) string {
	name := b.Revision
	if !isHex(name) {
		name = x.tag(strings.TrimPrefix(b.Module[strings.LastIndexByte(b.Module, '/')+1:]+"@"+b.Version, "@"))
	}
	if b.Modified && name != "" {
		name += "-dirty"
	}
	return strings.TrimSuffix(strings.NewReplacer("/", "-", "\\", "-", " ", "-").Replace(name), "@")
}

// fingerprint is the bundle's, else one of the stack.
func fingerprint(m *bundle.Meta, g *traceback.Goroutine) string {
	if isHex(m.Fingerprint) {
		return m.Fingerprint
	}
	var frames []traceback.Frame
	if g != nil {
		frames = g.App()
	}
	return traceback.Fingerprint(string(m.Class), frames)
}

// subject is the goroutine that the event is about, nil when the text has none.
func subject(m *bundle.Meta, d *traceback.Dump) *traceback.Goroutine {
	for i := range d.Goroutines {
		if m.Goroutine != 0 && d.Goroutines[i].ID == m.Goroutine {
			return &d.Goroutines[i]
		}
	}
	return d.Crashed()
}

// title splits a reason into what kind of end it was, the same for all of them, and what it said.
func title(m *bundle.Meta, d *traceback.Dump) (kind, value string) {
	reason := or(m.Reason, d.Reason)
	kind, value, ok := strings.Cut(reason, ": ")
	switch {
	case ok && (kind == "panic" || kind == "fatal error"):
		return kind, value
	case ok && strings.HasPrefix(kind, "SIG") && !strings.ContainsAny(kind, " \n"):
		return kind, value
	case d.Signal != "" && reason == "":
		return d.Signal, "the process got a signal"
	}
	return or(string(m.Class), "crash"), or(reason, "no reason is known")
}

func (x *cleaner) exception(m *bundle.Meta, d *traceback.Dump, g *traceback.Goroutine) sentrygo.Exception {
	kind, value := title(m, d)
	e := sentrygo.Exception{
		Type:  x.tag(kind),
		Value: x.text(value, maxReasonBytes),
		Mechanism: &sentrygo.Mechanism{Type: mechanism, Handled: &m.Handled, Data: map[string]any{
			"class": x.tag(string(m.Class)), "how": x.tag(m.ReasonHow),
		}},
	}
	switch {
	case g != nil:
		e.ThreadID = g.ID
		e.Stacktrace = x.stacktrace(g.App())
	case len(d.Runtime) > 0:
		e.Stacktrace = x.stacktrace(d.Runtime)
	}
	if e.Stacktrace != nil && len(e.Stacktrace.Frames) > 0 {
		e.Module = e.Stacktrace.Frames[len(e.Stacktrace.Frames)-1].Module
	}
	return e
}

// tags are what events are searched by: few values each.
func (x *cleaner) tags(m *bundle.Meta) map[string]string {
	all := map[string]string{
		"class":       string(m.Class),
		"handled":     strconv.FormatBool(m.Handled),
		"reason_how":  m.ReasonHow,
		"callback":    m.Where.Callback,
		"server":      m.Where.Server,
		"core":        m.Core.State,
		"go":          m.Build.Go,
		"os":          m.Build.OS,
		"arch":        m.Build.Arch,
		"exit_signal": exitSignal(m.Exit),
	}
	if m.Where.Packet != 0 {
		all["packet_type"] = strconv.Itoa(int(m.Where.Packet))
	}
	if m.Where.Server != "" && m.Where.Worker >= 0 {
		all["worker"] = strconv.Itoa(m.Where.Worker)
	}
	for name, value := range all {
		if all[name] = x.tag(value); all[name] == "" {
			delete(all, name)
		}
	}
	if len(m.Trace) == 32 && isHex(m.Trace) {
		all["trace_id"] = m.Trace
	}
	return all
}

func exitSignal(e *bundle.Exit) string {
	if e == nil {
		return ""
	}
	return e.Signal
}

// contexts are what an event is read by.
func (x *cleaner) contexts(m *bundle.Meta, d *traceback.Dump, g *traceback.Goroutine) map[string]sentrygo.Context {
	all := map[string]sentrygo.Context{
		"runtime": x.context(map[string]string{"name": "go", "version": m.Build.Go}),
		"os":      x.context(map[string]string{"name": m.Build.OS, "kernel_version": m.Capabilities["kernel"]}),
		"device":  x.context(map[string]string{"arch": m.Build.Arch}),
		"process": x.context(m.Process), "build": x.context(m.Build), "where": x.context(m.Where),
		"timings": x.context(m.Timings), "capabilities": x.context(m.Capabilities), "before": x.context(m.Before),
		"dropped": x.context(m.Dropped), "core": x.core(m), "crash": x.crash(m, d),
	}
	if m.Exit != nil {
		all["exit"] = x.context(m.Exit)
	}
	if len(m.Trace) == 32 && len(m.Span) == 16 && isHex(m.Trace+m.Span) {
		all["trace"] = sentrygo.Context{"trace_id": m.Trace, "span_id": m.Span, "op": x.tag(or(m.Where.Callback, "crash"))}
	}
	if g != nil && len(g.Labels) > 0 {
		all["labels"] = x.context(x.scrub.Labels(g.Labels))
	}
	for name, c := range all {
		if c == nil {
			delete(all, name)
		}
	}
	return all
}

func (x *cleaner) core(m *bundle.Meta) sentrygo.Context {
	return x.context(struct {
		bundle.Core
		Path string `json:"path,omitempty"`
		Size int64  `json:"size,omitempty"`
	}{m.Core, strings.Trim(m.ID+"/"+m.Core.File, "/"), m.Core.Bytes})
}

func (x *cleaner) crash(m *bundle.Meta, d *traceback.Dump) sentrygo.Context {
	return x.context(map[string]any{
		"bundle": m.ID, "class": m.Class, "how": m.ReasonHow, "live": m.Live, "goroutine": m.Goroutine,
		"goroutines": max(m.Goroutines, len(d.Goroutines)), "text_cut": d.Cut, "problems": m.Problems,
	})
}

// fit makes an event small enough. Threads and breadcrumbs are many; all else has limits of its own.
func fit(e *sentrygo.Event) {
	for {
		raw, err := json.Marshal(e)
		switch {
		case err != nil || len(raw) <= MaxEventBytes:
			return
		case len(e.Threads) > 1:
			e.Threads = e.Threads[:len(e.Threads)/2]
		case len(e.Breadcrumbs) > 0:
			e.Breadcrumbs = e.Breadcrumbs[(len(e.Breadcrumbs)+1)/2:]
		default:
			e.Contexts = map[string]sentrygo.Context{"crash": {"left_out": fmt.Sprintf("contexts: the event had %d bytes", len(raw))}}
			if len(e.Threads) == 0 {
				return
			}
			e.Threads = nil
		}
	}
}
