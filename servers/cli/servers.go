package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"vitrine/core/engine"
	"vitrine/servers/bot"
	"vitrine/servers/demo/chat"
	"vitrine/servers/demo/echo"
	"vitrine/servers/observe"
)

// plan is a server that is to be started, and how bots would play with it.
type plan struct {
	name     string
	table    string // of the configuration
	settings *serverSettings
	handler  func() engine.Handler
	protocol bot.Protocol
	greeting bool
	chaos    bool // vitrine chaos may make it panic
}

// plans returns every server of the whole stack.
func (s *settings) plans() []plan {
	echoes := func(name, table string, of *serverSettings) plan {
		return plan{
			name: name, table: table, settings: of, protocol: bot.Echo, greeting: s.Echo.Greeting,
			handler: func() engine.Handler { return echo.New(echo.Config{Greeting: s.Echo.Greeting}) },
		}
	}
	all := []plan{
		echoes("echo-lan", "echo.lan", &s.Echo.LAN),
		echoes("echo-classic", "echo.classic", &s.Echo.Classic),
		echoes("echo-sealed", "echo.sealed", &s.Echo.Sealed),
		{name: "chat", table: "chat", settings: &s.Chat, protocol: bot.Chat, handler: func() engine.Handler { return chat.New() }},
	}
	for i := range all {
		all[i].chaos = s.Ops.Chaos
	}
	return all
}

// plan returns the server of a configuration table that there is.
func (s *settings) plan(table string) plan {
	plans := s.plans()
	return plans[slices.IndexFunc(plans, func(p plan) bool { return p.table == table })]
}

// running is a server that has been started.
type running struct {
	plan
	server *engine.Server
	public string         // key that clients of a sealed server need, "" for others
	last   *atomic.Uint64 // id of the session that joined last, 0 before the first
}

// start starts the planned server and adds it to the stack, which stops it in the end.
func (p plan) start(st *observe.Stack) (*running, error) {
	cfg, public, err := p.settings.engineConfig(p.name)
	if err != nil {
		return nil, err
	}
	if err := validate(cfg); err != nil {
		return nil, usagef("%s: %w", p.name, err)
	}
	last := new(atomic.Uint64)
	cfg.Observer, cfg.Boot, cfg.FlightDir = remembering(last, st.Observer(p.name)), st.Boot(), st.FlightDir(cfg.FlightDir)
	handler := p.handler()
	var breaker *saboteur // nil = none
	if p.chaos {
		breaker = newSaboteur(p.name, handler)
		handler = breaker.handler
	}
	srv, err := newServer(cfg, handler)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	if breaker != nil {
		breaker.server = srv
		st.AddChaos(p.name, breaker.trip)
	}
	if err := srv.Start(); err != nil {
		return nil, err
	}
	st.Add(srv)
	return &running{plan: p, server: srv, public: public, last: last}, nil
}

// remembering returns the hooks with one that keeps the id of the session that joined last.
func remembering(last *atomic.Uint64, o engine.Observer) engine.Observer {
	opened := o.SessionOpened
	o.SessionOpened = func(s *engine.Session) {
		last.Store(uint64(s.ID()))
		opened(s)
	}
	return o
}

// lastSession returns the id of the session that joined last, "" before the first.
func (r *running) lastSession() string {
	if id := r.last.Load(); id != 0 {
		return engine.ID(id).String()
	}
	return ""
}

// describe tells where a server is and how to talk to it.
func (r *running) describe(w io.Writer) {
	fmt.Fprintf(w, "  %-12s %-16s %s", r.name, r.server.Addr(), r.settings.Codec)
	if r.public != "" {
		fmt.Fprintf(w, ", server key %s", r.public)
	}
	fmt.Fprintln(w)
}

// play lets bots loose on the server and returns what they saw.
func (r *running) play(ctx context.Context, cfg bot.Config) (bot.Report, error) {
	codec, err := bot.ParseCodec(r.settings.Codec, r.public)
	if err != nil {
		return bot.Report{}, err
	}
	cfg.Addr, cfg.Protocol, cfg.Codec, cfg.Greeting = r.server.Addr(), r.protocol, codec, r.greeting
	if r.protocol == bot.Chat {
		cfg.Rate = chatBotRate
	}
	return bot.Run(ctx, cfg)
}

// chatBotRate is how many messages a second a chat bot of the whole stack sends.
const chatBotRate = 2
