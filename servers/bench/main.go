//go:build linux

package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"vitrine/crash/provoke"
	"vitrine/servers/bench/crash"
	"vitrine/servers/bench/logs"
)

type commands struct {
	Serve  serveCommand  `cmd:"" help:"Run one echo server; prints \"listening ADDR\"."`
	Load   loadCommand   `cmd:"" help:"Drive one server in a closed loop and check every echo."`
	Peers  peersCommand  `cmd:"" help:"Compare the servers in interleaved rounds and judge the gates."`
	Memory memoryCommand `cmd:"" help:"Print the bytes a connection costs, idle and after traffic."`
	AB     abCommand     `cmd:"" name:"ab" help:"Compare two builds, three servers alive at once."`

	Log      logs.CostCommand  `cmd:"" help:"Compare what a log record costs in interleaved rounds and judge the gates."`
	LogKill  logs.KillCommand  `cmd:"" name:"logkill" help:"Kill processes that log and count what is missing of the calls that had returned."`
	LogStall logs.StallCommand `cmd:"" name:"logstall" help:"Count the calls that block while the disk stalls."`
	LogData  logs.DataCommand  `cmd:"" name:"logdata" help:"Make up a log to search, and the same records as text."`
	LogFind  logs.FindCommand  `cmd:"" name:"logfind" help:"Time questions to that log beside grep -F over the text."`
	LogChild logs.ChildCommand `cmd:"" name:"logkill-child" hidden:"" help:"Log until killed."`

	CrashMatrix crash.MatrixCommand `cmd:"" name:"crashmatrix" help:"Die in every way, many times, and look at every bundle and core."`
	CrashTimes  crash.TimesCommand  `cmd:"" name:"crashtimes" help:"Time the text, the whole bundle and the standstill of a server, beside dlv and gcore."`
}

func main() {
	provoke.Serve() // does not return in the processes that die for crashmatrix and crashtimes
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var line commands
	parsed := kong.Parse(&line, kong.Name("bench"), kong.UsageOnError(),
		kong.Description("Measure the engine and the log beside their peers."),
		kong.Vars{"kinds": strings.Join(kindNames(), ", ")},
		kong.BindTo(ctx, (*context.Context)(nil)))
	parsed.FatalIfErrorf(parsed.Run())
}
