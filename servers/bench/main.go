//go:build linux

package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Serve  serveCommand  `cmd:"" help:"Run one echo server; prints \"listening ADDR\"."`
	Load   loadCommand   `cmd:"" help:"Drive one server in a closed loop and check every echo."`
	Peers  peersCommand  `cmd:"" help:"Compare the servers in interleaved rounds and judge the gates."`
	Memory memoryCommand `cmd:"" help:"Print the bytes a connection costs, idle and after traffic."`
	AB     abCommand     `cmd:"" name:"ab" help:"Compare two builds, three servers alive at once."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var line commands
	parsed := kong.Parse(&line, kong.Name("bench"), kong.UsageOnError(),
		kong.Description("Measure the engine beside its peers."),
		kong.Vars{"kinds": strings.Join(kindNames(), ", ")},
		kong.BindTo(ctx, (*context.Context)(nil)))
	parsed.FatalIfErrorf(parsed.Run())
}
