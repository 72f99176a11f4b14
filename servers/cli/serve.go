package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"vitrine/servers/observe"
)

type serveCommand struct {
	Kind        string `arg:"" enum:"echo,chat" help:"echo or chat."`
	Addr        string `placeholder:"ADDR" help:"host:port to listen on; default where up puts that server."`
	Codec       string `placeholder:"CODEC" help:"Frame format: lan (echo alone), classic (B), classic-a or sealed; default lan for echo, sealed for chat."`
	Workers     int    `placeholder:"N" help:"Event loops; default one per processor."`
	MaxSessions int    `placeholder:"N" help:"Most sessions at once; default 10000."`
	KeyFile     string `placeholder:"FILE" help:"Sealed: file of the private key, made on the first start."`
	Greeting    bool   `negatable:"" default:"true" help:"Echo: send the family's 8-byte greeting on join."`
	configFlags
}

// table returns the configuration table of the server that the flags mean. An echo server takes the defaults of its codec.
func (c *serveCommand) table() string {
	switch {
	case c.Kind == "chat":
		return "chat"
	case c.Codec == "" || c.Codec == "lan":
		return "echo.lan"
	case c.Codec == "sealed":
		return "echo.sealed"
	}
	return "echo.classic"
}

func (c *serveCommand) flags() map[string]string {
	flags := map[string]string{}
	set := func(key, value string, given bool) {
		if given {
			flags[c.table()+"."+key] = value
		}
	}
	set("addr", c.Addr, c.Addr != "")
	set("codec", c.Codec, c.Codec != "")
	set("workers", strconv.Itoa(c.Workers), c.Workers != 0)
	set("max_sessions", strconv.Itoa(c.MaxSessions), c.MaxSessions != 0)
	set("key_file", c.KeyFile, c.KeyFile != "")
	if !c.Greeting {
		flags["echo.greeting"] = "false"
	}
	return flags
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(io *streams) error {
	if err := (&serverSettings{users: c.Kind == "chat"}).checkCodec(c.Codec); c.Codec != "" && err != nil {
		return usagef("serve %s --codec: %w", c.Kind, err)
	}
	s, effective, err := c.load(strings.ReplaceAll(c.table(), ".", "-"), c.flags())
	if err != nil {
		return err
	}
	defer outlivePipes()() // a server is more than what it says at its start
	console := new(slog.LevelVar)
	return inUse(observe.Run(context.Background(), s.observed(console, effective), func(ctx context.Context, st *observe.Stack) error {
		r, err := s.plan(c.table()).start(st)
		if err != nil {
			return err
		}
		reloadOnHangup(st, s, effective, console, r)
		fmt.Fprintf(io.out, "listening on %s\n", r.server.Addr())
		r.describe(io.out)
		describeOps(io.out, st)
		s.Log.describeJournal(io.out, st)
		s.Crash.describe(io.out)
		<-ctx.Done()
		return nil
	}))
}
