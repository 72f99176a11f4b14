//go:build linux

package e2e

import (
	"testing"
	"time"

	"vitrine/servers/bot"
)

// Users and trusted servers in one process, each kind with workers and pools of its own: the round trips of one kind are
// measured while the other is quiet and while it is busy, in turns.
func TestUsersAndPeersDoNotDisturbEachOther(t *testing.T) {
	p := launch(t, "up", "--port-base", "0", "--set", "echo.lan.workers=1", "--set", "chat.workers=1")
	peersAt, usersAt := p.server("echo-lan"), p.server("chat")
	users := bot.Config{
		Addr: usersAt.addr, Protocol: bot.Chat, Codec: parseCodec(t, "sealed", usersAt), Rate: messageRate,
		Timeout: patience, Drain: patience,
	}
	peers := bot.Config{Addr: peersAt.addr, Codec: lan, Greeting: true, Timeout: patience, Drain: patience}

	onePeer := peers
	onePeer.Bots, onePeer.Think = 1, 2*time.Millisecond
	manyUsers := users
	manyUsers.Bots, manyUsers.AccountBase = *botCount, 5_000_000
	compare(t, "peer beside busy users",
		func() float64 { return window(t, "peer alone", onePeer) },
		func() float64 { return beside(t, "users", manyUsers, "peer", onePeer) })

	fewUsers := users
	fewUsers.Bots, fewUsers.Rate, fewUsers.RampUp = 20, 10, -1
	manyPeers := peers
	const peerRate = 200 // requests a second; a hundredth as many peers ask as often as all users speak
	manyPeers.Bots, manyPeers.Depth, manyPeers.Rate = max(*botCount/100, 1), 16, peerRate
	compare(t, "users beside busy peers",
		func() float64 { return window(t, "users alone", fewUsers) },
		func() float64 { return beside(t, "peers", manyPeers, "users", fewUsers) })
}

// beside measures a window of one kind while a crowd of the other is online and busy. Nobody may find fault.
func beside(t *testing.T, crowdName string, crowd bot.Config, name string, one bot.Config) float64 {
	t.Helper()
	busy := play(t, crowdName, crowd)
	p50 := window(t, name+" beside "+crowdName, one)
	report := busy.finish()
	t.Logf("%s: %s", crowdName, report.String())
	return p50
}
