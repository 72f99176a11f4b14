package sentry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitrine/crash/sentry/sentrytest"
)

func TestEventsOfAnOutageArriveOnce(t *testing.T) {
	w := newWorld(t, nil)
	dir := newBundle(t)
	w.sink.Down(true)
	for i := range 50 {
		w.put(dir, i, 1)
		r, _ := w.Send(context.Background())
		if r.Sent != 0 || r.Kept != i+1 || r.Next.IsZero() {
			t.Fatalf("while the sink is down: %+v", r)
		}
	}
	w.sink.Down(false)
	w.clock.Add(MaxBackOff)
	if r := w.send(); r.Sent != 50 || r.Kept != 0 || !r.Next.IsZero() {
		t.Errorf("when it is up: %+v", r)
	}
	w.arrived(50)
	w.put(dir, 0, 50)
	if r := w.send(); r.Sent != 0 || r.Kept != 0 {
		t.Errorf("events that were sent went again: %+v", r)
	}
	w.arrived(50)
	w.tidy()
	if c := w.counts(); c.Put != 50 || c.Sent != 50 || c.Dropped+c.Evicted+c.HeldBack+c.Aside != 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestFailuresBackOff(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 1)
	w.sink.Answer(http.StatusInternalServerError)
	want := FirstBackOff
	for n := 1; n <= 12; n++ {
		_, err := w.sender(nil).Send(context.Background()) // the state survives a restart
		if err == nil || !strings.Contains(err.Error(), "500") {
			t.Fatalf("attempt %d: %v", n, err)
		}
		r := w.send()
		if wait := r.Next.Sub(w.clock.Now()); wait != want || w.sink.Requests() != n {
			t.Fatalf("after failure %d: %v, %d requests; want %v", n, wait, w.sink.Requests(), want)
		}
		w.clock.Add(want - time.Nanosecond)
		w.send()
		w.clock.Add(time.Nanosecond)
		want = min(2*want, MaxBackOff)
	}
	w.sink.Answer(0)
	w.send()
	w.arrived(1)
	if st, err := w.Stats(); err != nil || st.Failures != 0 || st.Last != "" {
		t.Errorf("after success %+v, %v", st, err)
	}
}

func TestRetryAfterStands(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 3)
	for _, name := range []string{"seconds", "date", "missing"} {
		t.Run(name, func(t *testing.T) {
			retryAfter := map[string]string{"seconds": "3600", "date": w.clock.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}[name]
			before := w.sink.Requests()
			w.sink.AnswerAfter(http.StatusTooManyRequests, retryAfter)
			if _, err := w.Send(context.Background()); err == nil {
				t.Error("a 429 is an error")
			}
			must(t, w.Resume())
			r, err := w.sender(nil).Send(context.Background())
			must(t, err)
			want := time.Hour
			if retryAfter == "" {
				want = time.Minute
			}
			if got := r.Next.Sub(w.clock.Now()); got > want || got < want-2*time.Second || w.sink.Requests() != before+1 {
				t.Errorf("next in %v after %d requests, want %v after 1", got, w.sink.Requests()-before, want)
			}
			w.clock.Add(want)
		})
	}
	w.sink.Answer(0)
	w.send()
	w.arrived(3)
}

func TestRateLimitOfAnAcceptedEventStands(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 3)
	w.sink.AnswerAfter(0, "60")
	if r := w.send(); r.Sent != 1 || r.Kept != 2 || r.Next.IsZero() {
		t.Errorf("%+v", r)
	}
	w.clock.Add(time.Minute)
	w.sink.AnswerAfter(0, "")
	w.send()
	w.arrived(3)
}

func TestRefusedAttachmentsAreStripped(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := newWorld(t, nil)
			w.put(newBundle(t), 0, 2)
			w.sink.Judge(func(e sentrytest.Event) int {
				if len(e.Attachments) > 0 {
					return status
				}
				return 0
			})
			if r := w.send(); r.Sent != 2 || w.sink.Requests() != 4 {
				t.Errorf("%+v, %d requests", r, w.sink.Requests())
			}
			w.arrived(2)
			if c := w.counts(); c.Stripped != 2 || c.Sent != 2 || c.Dropped != 0 {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

func TestRefusedEventsAreDropped(t *testing.T) {
	w := newWorld(t, nil)
	dir := newBundle(t)
	w.put(dir, 0, 1)
	w.sink.Answer(http.StatusRequestEntityTooLarge)
	if r := w.send(); r.Dropped != 1 || r.Kept != 0 || w.sink.Requests() != 2 {
		t.Errorf("%+v, %d requests", r, w.sink.Requests())
	}
	w.sink.Answer(0)
	w.put(dir, 0, 1)
	w.send()
	w.arrived(0)
	if c := w.counts(); c.Dropped != 1 || c.Stripped != 1 || c.Put != 1 {
		t.Errorf("counts %+v", c)
	}
}

// Attachments are refused once: what is kept after that has none.
func TestStrippedEventWaitsStripped(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 1)
	w.sink.Judge(func(e sentrytest.Event) int {
		if len(e.Attachments) > 0 {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusServiceUnavailable
	})
	if r, err := w.Send(context.Background()); err == nil || r.Kept != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	w.clock.Add(time.Hour)
	w.Send(context.Background())
	if w.sink.Requests() != 3 {
		t.Errorf("%d requests, want 3", w.sink.Requests())
	}
	w.sink.Judge(nil)
	w.clock.Add(time.Hour)
	w.send()
	w.arrived(1)
}

// An event that makes the server fail holds up no other.
func TestPoisonHoldsUpNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 5)
	poison := w.meta(0).Event
	w.sink.Judge(func(e sentrytest.Event) int {
		if e.ID == poison {
			return http.StatusInternalServerError
		}
		return 0
	})
	w.Send(context.Background())
	w.clock.Add(time.Hour)
	r, _ := w.Send(context.Background())
	if r.Sent != 4 || r.Kept != 1 {
		t.Errorf("%+v", r)
	}
	w.clock.Add(MaxAge + time.Hour)
	if r := w.send(); r.Dropped != 1 || r.Kept != 0 || w.counts().Evicted != 1 {
		t.Errorf("an event that is too old: %+v, %+v", r, w.counts())
	}
}

func TestDamagedFilesAreSetAside(t *testing.T) {
	w := newWorld(t, nil)
	dir := newBundle(t)
	w.put(dir, 0, 2)
	good, err := os.ReadFile(w.path(w.meta(0).Event + suffix))
	must(t, err)
	bad := map[string][]byte{
		"empty": nil, "text": []byte("hello"), "torn": good[:len(good)/2], "another's": good,
		"trailing": append(good[:len(good):len(good)], 1, 2, 3),
	}
	n := 100
	for _, b := range bad {
		must(t, os.WriteFile(w.path(fmt.Sprintf("%032x", n)+suffix), b, fileMode))
		n++
	}
	must(t, os.Symlink("/dev/zero", w.path(fmt.Sprintf("%032x", n)+suffix)))
	must(t, os.Mkdir(w.path(fmt.Sprintf("%032x", n+1)+suffix), dirMode))
	must(t, os.WriteFile(w.path("notes.txt"), nil, fileMode))
	r := w.send()
	if want := len(bad) + 2; r.Aside != want || r.Sent != 2 || r.Kept != 0 || w.counts().Aside != uint64(want) {
		t.Errorf("%+v, want %d set aside", r, want)
	}
	w.arrived(2)
	aside, err := os.ReadDir(w.path(asideName))
	if err != nil || len(aside) != len(bad)+2 {
		t.Errorf("%d files set aside, %v", len(aside), err)
	}
	for i := range MaxAside {
		must(t, os.WriteFile(w.path(fmt.Sprintf("%032x", 200+i)+suffix), nil, fileMode))
	}
	w.send()
	if aside, _ := os.ReadDir(w.path(asideName)); len(aside) != MaxAside {
		t.Errorf("%d files set aside, the limit is %d", len(aside), MaxAside)
	}
	if _, err := os.Stat(w.path("notes.txt")); err != nil {
		t.Errorf("a stranger's file: %v", err)
	}
}

func TestDamagedStateCostsNoEvent(t *testing.T) {
	w := newWorld(t, nil)
	dir := newBundle(t)
	for i, text := range []string{"", "{", `{"failures":"x"}`, strings.Repeat("a", maxStateBytes+1), "null"} {
		must(t, os.WriteFile(w.path(stateName), []byte(text), fileMode))
		must(t, os.WriteFile(w.path(sentName), []byte(text), fileMode))
		w.put(dir, i, 1)
		w.send()
	}
	must(t, os.Remove(w.path(sentName)))
	must(t, os.Mkdir(w.path(sentName), dirMode))
	w.put(dir, 5, 1)
	w.send()
	w.arrived(6)
	w.put(dir, 5, 1)
	w.send()
	w.arrived(6)
}

func TestSpoolLimitsDropTheOldest(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.SpoolFiles = 3 })
	dir := newBundle(t)
	for i := range 5 {
		w.put(dir, i, 1)
		age := time.Duration(5-i) * time.Minute
		must(t, os.Chtimes(w.path(w.meta(i).Event+suffix), time.Time{}, time.Now().Add(-age)))
	}
	if got := strings.Join(w.spooledIDs(), " "); got != fmt.Sprintf("%032x %032x %032x", 3, 4, 5) {
		t.Errorf("left: %s", got)
	}
	if c := w.counts(); c.Evicted != 2 || c.Put != 5 {
		t.Errorf("counts %+v", c)
	}
}

func TestSpoolBytesAreBounded(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Budget, c.SpoolBytes = 1, overBudget+1 })
	w.put(newBundle(t), 0, 1)
	must(t, os.WriteFile(w.path(strings.Repeat("f", 32)+suffix), make([]byte, overBudget), fileMode))
	must(t, os.Chtimes(w.path(strings.Repeat("f", 32)+suffix), time.Time{}, time.Now().Add(-time.Hour)))
	w.put(newBundle(t), 1, 1)
	if ids := w.spooledIDs(); len(ids) != 2 || w.counts().Evicted != 1 {
		t.Errorf("left: %v, counts %+v", ids, w.counts())
	}
	if st, err := w.Stats(); err != nil || st.Spooled != 2 || st.Bytes > overBudget+1 || st.Bytes == 0 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestManyOfOneKindAreHeldBack(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.PerHour = 2 })
	dir := newBundle(t)
	same := func(n int) error {
		m := w.meta(n)
		m.Fingerprint = "00000000000000aa"
		return w.Put(dir, m)
	}
	for n, want := range []error{nil, nil, ErrHeldBack, ErrHeldBack, ErrHeldBack} {
		if err := same(n); !errors.Is(err, want) {
			t.Errorf("event %d: %v, want %v", n, err, want)
		}
	}
	must(t, same(0)) // known already
	w.put(dir, 10, 1)
	w.clock.Add(time.Hour)
	must(t, same(5))
	must(t, same(6))
	w.send()
	if c := w.counts(); c.HeldBack != 3 || c.Put != 5 || c.Sent != 5 {
		t.Errorf("counts %+v", c)
	}
	for _, e := range w.sink.Events() {
		held := e.Fields["contexts"].(map[string]any)["crash"].(map[string]any)["held_back"]
		if want := map[bool]float64{true: 3}[e.ID == w.meta(5).Event]; held != want {
			t.Errorf("event %s says %v were held back, want %v", e.ID, held, want)
		}
	}
}

// Two processes make the same event, and one has sent it when the other is ready.
func TestSlowTwinIsNotSpooled(t *testing.T) {
	w := newWorld(t, nil)
	dir, m := newBundle(t), w.meta(0)
	e, err := w.build(m.Event, dir, m, 0)
	must(t, err)
	tmp, _, err := w.spill(e)
	must(t, err)
	w.put(dir, 0, 1)
	w.send()
	must(t, w.enter(entry{id: m.Event, tmp: tmp, meta: m}))
	w.send()
	w.arrived(1)
	w.tidy()
}

func TestCountedKindsAreBounded(t *testing.T) {
	st := &state{Hours: map[string]hour{}}
	start := time.Now()
	for i := range 2 * MaxFingerprints {
		must(t, st.take(fmt.Sprint(i), 1, start.Add(time.Duration(i)*time.Second), 0))
	}
	if _, newest := st.Hours[fmt.Sprint(2*MaxFingerprints-1)]; len(st.Hours) != MaxFingerprints || !newest {
		t.Errorf("%d kinds, the newest among them: %v", len(st.Hours), newest)
	}
}

func TestSentListIsBounded(t *testing.T) {
	w := newWorld(t, nil)
	var list strings.Builder
	for i := range 2*MaxSent - 100 {
		fmt.Fprintf(&list, "%032x\n", i+1)
	}
	must(t, os.WriteFile(w.path(sentName), []byte(list.String()), fileMode))
	for i := 2*MaxSent - 100; i < 2*MaxSent+100; i++ {
		must(t, w.addSent(fmt.Sprintf("%032x", i+1)))
	}
	info, err := os.Stat(w.path(sentName))
	must(t, err)
	if info.Size() > maxSentBytes || info.Size() < MaxSent*sentLine {
		t.Errorf("%d bytes", info.Size())
	}
	for i := MaxSent + 100; i < 2*MaxSent+100; i += 100 {
		if !w.isDone(fmt.Sprintf("%032x", i+1)) {
			t.Errorf("%d is forgotten", i)
		}
	}
	must(t, os.WriteFile(w.path(sentName), []byte(strings.Repeat("a", 10)), fileMode))
	must(t, w.addSent(strings.Repeat("b", 32)))
	if !w.isDone(strings.Repeat("b", 32)) {
		t.Error("an id behind a torn line is not found")
	}
}

func TestWithoutDSNEventsStay(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.DSN = "" })
	w.put(newBundle(t), 0, 2)
	if r := w.send(); r.Sent != 0 || r.Kept != 2 {
		t.Errorf("%+v", r)
	}
	if _, err := w.sender(nil).Send(context.Background()); err != nil {
		t.Error(err)
	}
	w.arrived(2)
}

func TestCancelledSendIsNoFailure(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 2)
	ctx, cancel := context.WithCancel(context.Background())
	w.sink.Judge(func(sentrytest.Event) int { cancel(); <-ctx.Done(); return http.StatusBadGateway })
	if r, err := w.Send(ctx); !errors.Is(err, context.Canceled) || r.Kept != 2 || !r.Next.IsZero() {
		t.Errorf("%+v, %v", r, err)
	}
	if st, _ := w.Stats(); st.Failures != 0 {
		t.Errorf("%+v", st)
	}
	w.sink.Judge(nil)
	w.send()
	w.arrived(2)
}

// A server that does not answer in the time there is has failed: it is not to cost every caller that time.
func TestSlowServerIsAFailure(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 2)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	w.sink.Judge(func(sentrytest.Event) int { <-ctx.Done(); return http.StatusBadGateway })
	if r, err := w.Send(ctx); err == nil || r.Kept != 2 || r.Next.IsZero() {
		t.Errorf("%+v, %v", r, err)
	}
	if st, _ := w.Stats(); st.Failures != 1 || st.Last == "" {
		t.Errorf("%+v", st)
	}
}

func TestSendWaitsForAnotherNoLongerThanItsContext(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 1)
	unlock, err := w.lock(context.Background(), lockName, time.Second)
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if r, err := w.sender(nil).Send(ctx); !errors.Is(err, context.DeadlineExceeded) || r.Kept != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := w.lock(context.Background(), lockName, 10*time.Millisecond); !errors.Is(err, ErrBusy) {
		t.Errorf("%v, want %v", err, ErrBusy)
	}
	unlock()
	w.send()
	w.arrived(1)
}

func TestTemporaryFilesOfTheDeadGo(t *testing.T) {
	w := newWorld(t, nil)
	must(t, os.WriteFile(w.path(tempPrefix+"old"), nil, fileMode))
	must(t, os.Chtimes(w.path(tempPrefix+"old"), time.Time{}, w.clock.Now().Add(-TempAge-time.Second)))
	must(t, os.WriteFile(w.path(tempPrefix+"new"), nil, fileMode))
	w.send()
	if names, _ := filepath.Glob(w.path(tempPrefix + "*")); len(names) != 1 || names[0] != w.path(tempPrefix+"new") {
		t.Errorf("left: %v", names)
	}
}

func TestConfigNamesEveryBadField(t *testing.T) {
	_, err := New(Config{DSN: "https://sesame@/", Budget: maxBudget + 1, PerHour: -1, SpoolFiles: -1, SpoolBytes: 1, Environment: "a/b", Release: "a\n"})
	for _, want := range []string{"DSN", "Spool is empty", "Budget", "PerHour", "SpoolFiles", "SpoolBytes", "Environment", "Release"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nnames no %s", err, want)
		}
	}
	for _, dsn := range []string{"https://sesame@/", "http://sesame@ho st/1", "ftp://sesame@host/1", "sesame", "https://u:sesame@h:x/1"} {
		if _, err := New(Config{DSN: dsn, Spool: t.TempDir()}); err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("DSN %q: %v", dsn, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, fileMode))
	if _, err := New(Config{Spool: filepath.Join(file, "spool")}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a spool below a file: %v", err)
	}
}
