package crash

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
	"vitrine/crash/traceback"
)

// Where says during what a panic happened, as far as its caller knows.
type Where struct {
	Server      string
	Worker      int // -1 = none
	Callback    string
	Session     string
	Packet      uint16
	Trace, Span string // hex digits
}

// Guard runs fn and catches a panic in it: the panic is reported as by [Panicked] and Guard returns true. It is for the
// root of a goroutine and for calls that must not end one; it allocates nothing. runtime.Goexit goes through it.
func Guard(fn func()) (panicked bool) {
	panicked = true // until fn has returned: asking a bool costs less than asking the runtime
	defer func() {
		if panicked {
			if value := recover(); value != nil { // none at runtime.Goexit
				Panicked(value, Where{Worker: noWorker})
			}
		}
	}()
	fn()
	return false
}

// noWorker is the Where.Worker of what is on no worker.
const noWorker = -1

// Go runs fn on a goroutine of its own under [Guard]. The goroutine bears the labels of ctx (pprof.WithLabels), which dumps show;
// a report takes session, trace_id and span_id from them. Whoever calls it sees to it that fn ends.
func Go(ctx context.Context, fn func(context.Context)) {
	go Guard(func() { // ends with fn
		pprof.SetGoroutineLabels(ctx)
		fn(ctx)
	})
}

// Panicked reports a panic that the caller has recovered. It is called in the deferred function itself, while the stack that
// panicked stands, on any goroutine. Of its kind the first in a minute is reported: then it takes up to CaptureLimit, of
// which the whole process stands still for some milliseconds, while its picture is taken; all others are counted, which takes a
// microsecond. Without a started Process it does nothing.
func Panicked(value any, where Where) {
	p := current.Load()
	if p == nil {
		return
	}
	var pcs [maxFrames]uintptr
	n := runtime.Callers(2, pcs[:])
	p.panics.Add(1)
	p.box.Panic()
	first, before := p.kinds.first(traceback.ProgramCounters("panic", pcs[:n]), time.Now())
	if !first {
		p.heldBack.Add(1)
		return
	}
	p.report(value, where, before)
}

// maxFrames is how many frames tell one kind of panic from another.
const maxFrames = 32

// CaptureLimit is the longest that Panicked holds up its caller.
const CaptureLimit = 500 * time.Millisecond

// report asks for the bundle of a panic.
func (p *Process) report(value any, where Where, before uint64) {
	reason := "panic: " + printed(value)
	text := append([]byte(reason+" [recovered]\n\n"), debug.Stack()...)
	runtime.LockOSThread() // the picture shows first who is on this thread
	defer runtime.UnlockOSThread()
	c := &monitor.Capture{
		Class: bundle.ClassPanic, Reason: reason, How: "hook", Text: text, At: time.Now(),
		Thread: threadID(), Core: !p.cfg.NoCores, Trace: where.Trace, Span: where.Span, Before: before, Panics: p.box.Panics(),
		Where: bundle.Where{
			Server: where.Server, Worker: where.Worker, Callback: where.Callback, Session: where.Session, Packet: where.Packet,
		},
	}
	p.capture(c)
}

// printed returns a panic's value as the runtime prints it: an error or a Stringer by its method, a basic kind by its value, all else
// by its type. Nothing is walked through, since what panicked may be locked, cyclic or being written to.
func printed(value any) string {
	text := fmt.Sprintf("(%T)", value)
	switch v := value.(type) {
	case error:
		text = called(v.Error, text)
	case fmt.Stringer:
		text = called(v.String, text)
	default:
		switch v := reflect.ValueOf(value); v.Kind() {
		case reflect.String:
			text = v.String()
		case reflect.Bool, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
			text = fmt.Sprint(v)
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			text = strconv.FormatInt(v.Int(), 10)
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
			text = strconv.FormatUint(v.Uint(), 10)
		}
	}
	return text[:min(len(text), maxValue)]
}

// called returns what a method says, or instead when it panics or takes longer than printLimit: it may wait for a lock that the
// panicking goroutine holds.
func called(method func() string, instead string) string {
	said := make(chan string, 1)
	go func() { // ends with the method; one that never does is left behind, once per report
		defer func() {
			if recover() != nil {
				said <- instead + " whose text panics"
			}
		}()
		said <- method()
	}()
	select {
	case text := <-said:
		return text
	case <-time.After(printLimit):
		return instead + " whose text takes too long"
	}
}

// printLimit is how long a panic's value may take to say what it is.
const printLimit = 100 * time.Millisecond

// maxValue is the most of a panic's value that is reported, in bytes.
const maxValue = 4 << 10

// told logs what became of a capture.
func (p *Process) told(d *monitor.Done) {
	switch {
	case d.Path != "":
		p.tell(slog.LevelError, "crash bundle written", "class", string(d.Class), "path", d.Path)
	default:
		p.tell(slog.LevelWarn, "no crash bundle", "class", string(d.Class), "error", d.Problem)
	}
}
