package bot_test

import (
	"context"
	"fmt"
	"io"
	"net"

	"vitrine/servers/bot"
)

// An echo server in five lines, and ten bots that check what it says.
func ExampleRun() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	ctx, enough := context.WithCancel(context.Background())
	go func() { // ends when ln closes
		for served := 1; ; served++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if served == 10 {
				enough()
			}
			go io.Copy(conn, conn) // ends with the connection
		}
	}()
	report, err := bot.Run(ctx, bot.Config{Addr: ln.Addr().String(), Bots: 10, Depth: 4, Rate: 100})
	fmt.Println(report.Sessions, "sessions,", report.Wrong, "wrong,", report.Missing, "missing", err)
	// Output: 10 sessions, 0 wrong, 0 missing <nil>
}
