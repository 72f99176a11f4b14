package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"vitrine/core/engine"
	"vitrine/crash"
	"vitrine/crash/monitor"
	"vitrine/servers/demo/chaos"
	"vitrine/servers/observe"
)

// chaosCommand breaks things on purpose.
type chaosCommand struct {
	Panic chaosPanicCommand `cmd:"" help:"Make a server of a running stack panic."`
}

// chaosPanicCommand asks the ops HTTP of a running stack.
type chaosPanicCommand struct {
	OpsAddr string `default:"127.0.0.1:8080" placeholder:"ADDR" help:"host:port of its operations pages; default ${default}."`
	Server  string `default:"echo-lan" placeholder:"NAME" help:"Which server; default ${default}."`
	Seam    string `default:"recv" placeholder:"SEAM" help:"Where: request, join, recv, send, leave, worker-begin, worker-end, post, timer, go (a goroutine of crash.Go), or goroutine, which ends the process; default ${default}."`
}

// Help says what it needs.
func (c *chaosPanicCommand) Help() string {
	return `The stack must allow it:

  vitrine up --bots 20 --set ops.chaos=true
  vitrine chaos panic --seam recv
  vitrine crash show last`
}

// chaosLimit is how long the stack has to answer.
const chaosLimit = 10 * time.Second

// Run orders the panic.
func (c *chaosPanicCommand) Run(io *streams) error {
	query := url.Values{"server": {c.Server}, "seam": {c.Seam}}
	order, err := http.NewRequest(http.MethodPost, "http://"+c.OpsAddr+"/chaos/panic?"+query.Encode(), nil)
	if err != nil {
		return usagef("--ops-addr %s: %w", c.OpsAddr, err)
	}
	order.Header.Set(observe.ChaosHeader, "yes")
	client := http.Client{Timeout: chaosLimit}
	answer, err := client.Do(order)
	if err != nil {
		return fmt.Errorf("order a panic: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusAccepted {
		fmt.Fprintf(io.out, "%s panics at %s\n", c.Server, c.Seam)
		return nil
	}
	var refusal struct{ Error string }
	if json.NewDecoder(http.MaxBytesReader(nil, answer.Body, maxRefusal)).Decode(&refusal) != nil || refusal.Error == "" {
		return fmt.Errorf("order a panic: %s: the stack needs --set ops.chaos=true", answer.Status)
	}
	return fmt.Errorf("order a panic: %s", refusal.Error)
}

// maxRefusal is the most bytes of an answer that are read.
const maxRefusal = 4 << 10

// saboteur makes one server panic when told to. All of it is fixed once the server is made.
type saboteur struct {
	name    string
	handler *chaos.Handler
	server  *engine.Server
}

// newSaboteur wraps the handler of a server that is to be made.
func newSaboteur(name string, h engine.Handler) *saboteur {
	return &saboteur{name: name, handler: chaos.Wrap(h)}
}

// The seams that are not callbacks of the handler.
var otherSeams = []string{"post", "timer", "go", "goroutine"}

// trip panics at a seam, now or at its next call.
func (s *saboteur) trip(seam string) error {
	switch seam {
	case "post":
		return s.post()
	case "timer":
		time.AfterFunc(0, s.timer)
		return nil
	case "go":
		s.goroutine()
		return nil
	case "goroutine":
		time.AfterFunc(deathPause, func() { panic("chaos on a goroutine") }) // nobody catches it
		return nil
	}
	if err := s.handler.Arm(seam); err != nil {
		return fmt.Errorf("%w, %s", err, strings.Join(otherSeams, ", "))
	}
	return nil
}

// deathPause lets the answer out before the process dies.
const deathPause = 100 * time.Millisecond

// postTries is how many sessions are asked for one that has not left.
const postTries = 16

func (s *saboteur) post() error {
	boom := func(*engine.Session) { panic("chaos in a post") }
	ids := s.server.Sessions(postTries)
	if !slices.ContainsFunc(ids, func(id engine.ID) bool { return s.server.Post(id, boom) == nil }) {
		return errors.New("there is no session to post to")
	}
	return nil
}

// goroutine panics as a goroutine of an application would that works for a session.
func (s *saboteur) goroutine() {
	labels := pprof.Labels(monitor.LabelServer, s.name)
	if ids := s.server.Sessions(1); len(ids) > 0 {
		labels = pprof.Labels(monitor.LabelServer, s.name, monitor.LabelSession, ids[0].String())
	}
	ctx := pprof.WithLabels(context.Background(), labels)
	crash.Go(ctx, func(context.Context) { panic("chaos in a guarded goroutine") })
}

// timer panics as a timer of an application would, and catches that as one should.
func (s *saboteur) timer() {
	defer func() {
		if value := recover(); value != nil {
			crash.Panicked(value, crash.Where{Server: s.name, Worker: -1, Callback: "timer"})
		}
	}()
	panic("chaos in a timer")
}
