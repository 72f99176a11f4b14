package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"vitrine/servers/bot"
)

type botsCommand struct {
	Protocol  string        `arg:"" enum:"echo,chat" help:"echo or chat."`
	Addr      string        `placeholder:"ADDR" help:"host:port of the server; default where up puts it."`
	Codec     string        `placeholder:"CODEC" help:"lan, classic, classic-a or sealed; default lan for echo, sealed for chat."`
	ServerKey string        `placeholder:"KEY" help:"Sealed: the server's public key; default that of the key file here."`
	KeyFile   string        `default:"${runtime}/server.key" placeholder:"FILE" help:"Sealed: the server's key file, when it runs here."`
	N         int           `default:"100" help:"Bots."`
	Depth     *int          `placeholder:"D" help:"Unanswered requests a bot may have (over-send); default 1 for echo, 8 for chat."`
	Size      *int          `placeholder:"BYTES" help:"Bytes of a payload or text; default 8 for echo, 64 for chat."`
	Rate      float64       `placeholder:"R" help:"Requests a second and bot; default 2 for chat; for echo the next leave --think after the replies."`
	Think     time.Duration `placeholder:"D" help:"Echo: pause between replies and the next requests; default 50ms, negative for none."`
	For       time.Duration `default:"15s" help:"How long, ramp-up included; 0 until Ctrl-C."`
	RampUp    time.Duration `placeholder:"D" help:"Time to connect all of them; default 1 ms a bot."`
	Churn     float64       `placeholder:"C" help:"Disconnects and reconnects a second and bot."`
	Greeting  bool          `negatable:"" default:"true" help:"Echo: expect the family's 8-byte greeting."`
	Seed      uint64        `default:"1" help:"Same seed, same choices of each bot."`
	JSON      bool          `help:"Print the report as one line of JSON."`
}

// Run plays the bots and answers errFault when they found fault.
func (c *botsCommand) Run(io *streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if isTerminal(io.err) {
		cfg.Live = func(r bot.Report) { overwrite(io.err, botsLine(r)) }
	}
	swarm, err := bot.New(cfg)
	if err != nil {
		return usagef("%w", err)
	}
	report, err := swarm.Run(ctx)
	if cfg.Live != nil {
		fmt.Fprintln(io.err)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		fmt.Fprintf(io.out, "%s\n", report.JSON())
	} else if err := report.Print(io.out); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if !report.OK() {
		return errFault
	}
	return nil
}

// botsLine is the live status line. Faults are the columns that must stay 0.
func botsLine(r bot.Report) string {
	return fmt.Sprintf("%d/%d bots  %d sent  %d received  %d faults  rtt p50 %v  p99 %v",
		r.Online, r.Bots, r.Sent, r.Received, r.Faults(),
		brief(micros(r.RTTp50)), brief(micros(r.RTTp99)))
}

func (c *botsCommand) config() (bot.Config, error) {
	cfg := bot.Config{
		Addr: c.Addr, Protocol: bot.Protocol(c.Protocol), Bots: c.N, Rate: c.Rate,
		Think: c.Think, For: c.For, RampUp: c.RampUp, Churn: c.Churn, Greeting: c.Greeting, Seed: c.Seed,
	}
	if err := c.check(); err != nil {
		return cfg, err
	}
	if c.Depth != nil {
		cfg.Depth = *c.Depth
	}
	if c.Size != nil {
		cfg.Size = *c.Size
	}
	codec := c.Codec
	switch {
	case codec == "" && cfg.Protocol == bot.Chat:
		codec = "sealed"
	case codec == "":
		codec = "lan"
	}
	if cfg.Protocol == bot.Chat && cfg.Rate == 0 {
		cfg.Rate = chatBotRate
	}
	if cfg.Addr == "" {
		cfg.Addr = portBase{}.addr(c.port(codec))
	}
	key, err := c.serverKey(codec)
	if err != nil {
		return cfg, err
	}
	if cfg.Codec, err = bot.ParseCodec(codec, key); err != nil {
		return cfg, usagef("%w", err)
	}
	return cfg, nil
}

// check refuses what the bots would take for their defaults, and an address that is none.
func (c *botsCommand) check() error {
	var problems []error
	positive := func(flag string, value *int) {
		if value != nil && *value < 1 {
			problems = append(problems, fmt.Errorf("%s %d: want at least 1", flag, *value))
		}
	}
	positive("--n", &c.N)
	positive("--depth", c.Depth)
	positive("--size", c.Size)
	if c.Addr != "" {
		if err := checkPeer(c.Addr); err != nil {
			problems = append(problems, fmt.Errorf("--addr: %w", err))
		}
	}
	if len(problems) > 0 {
		return usagef("%w", errors.Join(problems...))
	}
	return nil
}

func (c *botsCommand) port(codec string) int {
	switch {
	case c.Protocol == "chat":
		return portChat
	case codec == "sealed":
		return portEchoSealed
	case codec == "lan":
		return portEchoLAN
	}
	return portEchoClassic
}

// serverKey returns the public key that was given, or that of the key file of a server on this machine.
func (c *botsCommand) serverKey(codec string) (string, error) {
	if codec != "sealed" || c.ServerKey != "" {
		return c.ServerKey, nil
	}
	public, err := publicKeyOf(c.KeyFile)
	if err != nil {
		return "", usagef("a sealed server needs --server-key (serve prints it), or its key file here: %w", err)
	}
	return public, nil
}
