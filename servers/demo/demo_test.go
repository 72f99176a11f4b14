// Package demo_test plays the family's bots against the demo servers.
package demo_test

import (
	"context"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/frame"
	"vitrine/servers/bot"
	"vitrine/servers/demo/chat"
	"vitrine/servers/demo/echo"
)

func serve(t *testing.T, cfg engine.Config, h engine.Handler) *engine.Server {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	srv, err := engine.New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Stop(ctx); err != nil {
			t.Error(err)
		}
		st := srv.Status()
		if st.Sessions != 0 || st.Total.Joins != st.Total.Leaves || st.Packets.InUse != 0 || st.Output.InUse != 0 {
			t.Errorf("left over: sessions %d, joins %d, leaves %d, packets %d, output %d",
				st.Sessions, st.Total.Joins, st.Total.Leaves, st.Packets.InUse, st.Output.InUse)
		}
	})
	return srv
}

func play(t *testing.T, cfg bot.Config) bot.Report {
	t.Helper()
	report, err := bot.Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() || report.Received == 0 {
		t.Errorf("bots found fault: %s\n%v", report.String(), report.Findings)
	}
	return report
}

// sealed returns the codecs of a sealed server and of its clients.
func sealed(t *testing.T) (server, client frame.Codec) {
	t.Helper()
	private, err := frame.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	public, err := frame.PublicKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if server, err = frame.Sealed(frame.SealedConfig{Private: private}); err != nil {
		t.Fatal(err)
	}
	if client, err = frame.Sealed(frame.SealedConfig{PublicKey: public}); err != nil {
		t.Fatal(err)
	}
	return server, client
}

func TestEchoAnswersBotsOverEveryCodec(t *testing.T) {
	lan, _ := frame.LAN(frame.LANConfig{})
	classicA, _ := frame.ClassicA(frame.ClassicConfig{})
	classicB, _ := frame.ClassicB(frame.ClassicConfig{})
	sealedServer, sealedClient := sealed(t)
	for _, test := range []struct {
		name           string
		server, client frame.Codec
		churn          float64
	}{
		{"lan", lan, lan, 0},
		{"classic A", classicA, classicA, 0},
		{"classic B with churn", classicB, classicB, 1},
		{"sealed", sealedServer, sealedClient, 0},
		{"sealed with churn", sealedServer, sealedClient, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := serve(t, engine.Config{Codec: test.server, Workers: 2}, echo.New(echo.Config{Greeting: true}))
			play(t, bot.Config{
				Addr: srv.Addr(), Codec: test.client, Bots: 20, Depth: 4, Greeting: true, Churn: test.churn,
				RampUp: -1, For: time.Second, Seed: 1,
			})
		})
	}
}

func TestChatReachesTheSectorsAround(t *testing.T) {
	server, client := sealed(t)
	handler := chat.New()
	t.Cleanup(func() { // after the server has stopped
		if got := handler.Players(); got != 0 {
			t.Errorf("players left: %d, want 0", got)
		}
	})
	srv := serve(t, engine.Config{Codec: server, Workers: 3}, handler)
	report := play(t, bot.Config{
		Addr: srv.Addr(), Protocol: bot.Chat, Codec: client, Bots: 300, Rate: 5, RampUp: -1, For: 2 * time.Second, Seed: 2,
	})
	if report.Required == 0 {
		t.Error("no message was required to arrive: the test shows nothing")
	}
}
