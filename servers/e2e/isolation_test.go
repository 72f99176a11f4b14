//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"vitrine/servers/bot"
)

// Users and trusted servers in one process, each kind with workers and pools of its own: the round trips of one kind are
// measured while the other is quiet and while it is busy, in turns. Who measures is a process of its own, so that it does
// not wait for its turn among the goroutines of the crowd.
func TestUsersAndPeersDoNotDisturbEachOther(t *testing.T) {
	p := launch(t, "up", "--port-base", "0", "--set", "echo.lan.workers=1", "--set", "chat.workers=1")
	peersAt, usersAt := p.server("echo-lan"), p.server("chat")
	users := bot.Config{
		Addr: usersAt.addr, Protocol: bot.Chat, Codec: parseCodec(t, "sealed", usersAt), Bots: *botCount, Rate: messageRate,
		AccountBase: 5_000_000, Timeout: patience, Drain: patience,
	}
	onePeer := []string{"echo", "--addr", peersAt.addr, "--n", "1", "--think", "2ms"}
	compare(t, "peer beside busy users",
		func() float64 { return probe(t, onePeer) },
		func() float64 { return beside(t, "users", users, onePeer) })

	const peerRate = 200 // requests a second; a hundredth as many peers ask as often as all users speak
	peers := bot.Config{
		Addr: peersAt.addr, Codec: lan, Bots: max(*botCount/100, 1), Depth: 16, Rate: peerRate, Greeting: true,
		Timeout: patience, Drain: patience,
	}
	fewUsers := []string{"chat", "--addr", usersAt.addr, "--server-key", usersAt.key, "--n", "20", "--rate", "10"}
	compare(t, "users beside busy peers",
		func() float64 { return probe(t, fewUsers) },
		func() float64 { return beside(t, "peers", peers, fewUsers) })
}

// beside measures a window of one kind while a crowd of the other is online and busy. Nobody may find fault.
func beside(t *testing.T, crowdName string, crowd bot.Config, args []string) float64 {
	t.Helper()
	busy := play(t, crowdName, crowd)
	p50 := probe(t, args)
	report := busy.finish()
	t.Logf("%s: %s", crowdName, report.String())
	return p50
}

// probe plays bots for a while in a process of their own and returns their median round trip in microseconds.
func probe(t *testing.T, args []string) float64 {
	t.Helper()
	p := launch(t, append(append([]string{"bots"}, args...), "--for", fmt.Sprint(*playFor), "--json")...)
	status := p.status(patience + *playFor)
	var report bot.Report
	if err := json.NewDecoder(strings.NewReader(p.stdout())).Decode(&report); err != nil || status != 0 {
		t.Fatalf("bots %v: exit status %d, %v", args, status, err)
	}
	checkReport(t, strings.Join(args[:1], " "), report)
	return report.RTTp50
}
