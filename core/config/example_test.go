package config_test

import (
	"fmt"
	"os"
	"time"

	"vitrine/core/config"
)

// server is the schema of the examples.
type server struct {
	Net struct {
		Addr        string        `toml:"addr" default:"127.0.0.1:6000" help:"Address to listen on"`
		MaxSessions int           `toml:"max_sessions" default:"10000" help:"Most sessions at once"`
		IdleTimeout time.Duration `toml:"idle_timeout" default:"40s" reload:"true" help:"A session is closed after this long without a frame"`
		RecvLimit   config.Bytes  `toml:"recv_limit" default:"64KiB" help:"Most bytes taken from a session in a turn"`
	} `toml:"net" help:"The listener"`
	DB struct {
		Password string `toml:"password" secret:"true"`
	} `toml:"db"`
}

// Every problem of every source is reported at once.
func ExampleLoad_problems() {
	var s server
	_, err := config.Load(&s, config.Options{File: "testdata/problems.toml", Env: []string{"VITRINE_NET_RECV_LIMIT=lots"}})
	fmt.Println(err)
	// Output:
	// testdata/problems.toml:3: net.max_sesions: unknown key (did you mean net.max_sessions?)
	// testdata/problems.toml:4: net.idle_timeout: want a duration such as "30s", got 30
	// env VITRINE_NET_RECV_LIMIT: net.recv_limit: want a byte size such as "64KiB", got "lots"
}

// The effective configuration shows where each value came from.
func ExampleEffective_Print() {
	var s server
	effective, err := config.Load(&s, config.Options{
		File:  "testdata/server.toml",
		Env:   []string{"VITRINE_NET_IDLE_TIMEOUT=1m"},
		Flags: map[string]string{"net.addr": "127.0.0.1:0"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	effective.Print(os.Stdout)
	fmt.Println(s.Net.MaxSessions, s.Net.IdleTimeout)
	// Output:
	// net.addr          "127.0.0.1:0"  flag --net.addr
	// net.max_sessions  500            testdata/server.toml:2
	// net.idle_timeout  "1m"           env VITRINE_NET_IDLE_TIMEOUT  (reloadable)
	// net.recv_limit    "64KiB"        default
	// db.password       "***"          testdata/server.toml:3
	// 500 1m0s
}
