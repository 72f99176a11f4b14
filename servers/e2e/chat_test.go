//go:build linux

package e2e

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vitrine/servers/bot"
	"vitrine/servers/observe"
)

// messageRate is how many messages a second a chat bot sends.
const messageRate = 2

// chatServer starts serve chat.
func chatServer(t *testing.T) (*program, bot.Config) {
	t.Helper()
	p := launch(t, "serve", "chat", "--port-base", "0")
	at := p.server("chat")
	return p, bot.Config{
		Addr: at.addr, Protocol: bot.Chat, Codec: parseCodec(t, "sealed", at), Bots: *botCount, Rate: messageRate,
		Timeout: patience, Drain: patience,
	}
}

// The server is a process of its own; every message reaches those it must reach and nobody else.
func TestChatServesItsUsers(t *testing.T) {
	p, cfg := chatServer(t)
	cfg.For = *playFor
	if *botCount >= 1000 {
		cfg.Live = progress(t, 10*time.Second)
	}
	report, err := bot.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, "chat", report)
	if report.Sessions != uint64(*botCount) || report.Required == 0 {
		t.Errorf("sessions %d, required deliveries %d; want %d and some", report.Sessions, report.Required, *botCount)
	}
	figures := p.await("chat", func(now observe.ServerStatus) bool { // the end of a session is counted at the end of its turn
		return now.Sessions == 0 && now.Counters.Closed >= report.Sessions
	})
	if c := figures.Counters; c.Joins != c.Leaves || c.UnsentPackets != 0 || figures.RefusedSends != 0 {
		t.Errorf("joins %d, leaves %d, unsent %d, refused %d; want none lost", c.Joins, c.Leaves, c.UnsentPackets, figures.RefusedSends)
	}
	for _, pool := range figures.Pools {
		if pool.Exhausted > 0 {
			t.Errorf("pool %s was exhausted %d times", pool.Name, pool.Exhausted)
		}
	}
	t.Logf("%s; required %d, optional %d; reasons %v; server memory at most %d MiB",
		report.String(), report.Required, report.Optional, figures.CloseReasons, p.memory()>>20)
}

// overrun is how many times the packets a second that a session may send the flood sends.
const overrun = 50

// flood floods a chat from one session after the other until the context ends: each is closed for it, and comes back.
func flood(ctx context.Context, t *testing.T, cfg bot.Config) (closed int) {
	for ; ; closed++ {
		to := bot.ChatTarget(cfg.Addr, cfg.Codec, int64(10+closed), 25, 25)
		to.Timeout = patience
		end := bot.Flood(ctx, to, overrun*1000)
		if ctx.Err() != nil {
			return closed
		}
		if !serverEnded(end) {
			t.Errorf("flood %d: %+v, want the server to end it", closed, end)
			return closed
		}
	}
}

// A session that floods is closed with rate_limited, whoever plays beside it loses nothing and waits hardly longer.
func TestFloodIsLimitedAndDisturbsNobody(t *testing.T) {
	p, cfg := chatServer(t)
	cfg.Foreign = true // the flood speaks until it is closed
	var closed atomic.Int64
	quiet := func() float64 { return window(t, "quiet", cfg) }
	busy := func() float64 {
		ctx, cancel := context.WithCancel(t.Context())
		var flooding sync.WaitGroup
		flooding.Go(func() { closed.Add(int64(flood(ctx, t, cfg))) })
		defer flooding.Wait()
		defer cancel()
		return window(t, "beside a flood", cfg)
	}
	compare(t, "chat beside a flood", quiet, busy)
	figures := p.await("chat", func(now observe.ServerStatus) bool { return now.Sessions == 0 })
	limited := int64(figures.CloseReasons["rate_limited"])
	if limited == 0 || limited < closed.Load() {
		t.Errorf("reasons %v: want rate_limited for each of the %d floods that were ended", figures.CloseReasons, closed.Load())
	}
	t.Logf("%d floods of %d packets/s ended, reasons %v", closed.Load(), overrun*1000, figures.CloseReasons)
}
