package logx_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"vitrine/logx"
	"vitrine/logx/query"
	"vitrine/logx/record"
)

// A program makes the log the default of slog, beside a console that shows what is important, and asks it afterwards.
func ExampleLog_NewHandler() {
	dir, err := os.MkdirTemp("", "log")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	log, err := logx.Open(logx.Config{Dir: dir, RingDir: dir, Types: []string{"guild"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()

	slog.SetDefault(slog.New(logx.NewFanout(
		logx.Branch{Handler: log.NewHandler(logx.HandlerConfig{Mask: append(logx.DefaultMask(), "pin")})},
		logx.Branch{Handler: logx.NewConsole(os.Stderr, logx.ConsoleConfig{Types: log.Types()}), Level: slog.LevelError},
	)))

	ctx := logx.WithSession(context.Background(), 42)
	slog.Log(ctx, logx.LevelSystem, "server started", "version", "1.2.0")
	slog.InfoContext(ctx, "logged in", "type", "auth", "account", "bob", "token", "hunter2", "pin", 1234)
	guilds := slog.With("type", "guild").WithGroup("guild")
	guilds.WarnContext(ctx, "guild is full", "name", "Red Boars", "members", 200)

	if err := log.Flush(ctx); err != nil {
		fmt.Println(err)
		return
	}
	_, err = query.Search(ctx, dir, query.Query{Session: 42}, func(r *record.Record, types *record.Types) bool {
		fmt.Printf("%d [%s] %s: %s", r.Index, types.Name(r.Type), r.Level, r.Message)
		for _, f := range r.Fields {
			fmt.Printf(" %s", f.AppendText(nil))
		}
		fmt.Println()
		return true
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1 [system] SYSTEM: server started version=1.2.0
	// 2 [auth] INFO: logged in account=bob token=*** pin=***
	// 3 [guild] WARN: guild is full guild.name="Red Boars" guild.members=200
}
