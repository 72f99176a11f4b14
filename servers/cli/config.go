package cli

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vitrine/core/config"
	"vitrine/core/engine"
	"vitrine/core/frame"
	"vitrine/servers/demo/chat"
	"vitrine/servers/lanserver"
	"vitrine/servers/netserver"
)

// settings is the configuration file.
type settings struct {
	Ops   opsSettings     `toml:"ops"`
	Log   logSettings     `toml:"log"`
	Crash captureSettings `toml:"crash"`
	Echo  echoSettings    `toml:"echo"`
	Chat  serverSettings  `toml:"chat"`
}

type opsSettings struct {
	Addr  string `toml:"addr" default:"127.0.0.1:8080" help:"host:port of the operations pages; empty for none"`
	Chaos bool   `toml:"chaos" help:"let vitrine chaos make servers panic, for drills"`
}

// Validate reports an address that is none.
func (s *opsSettings) Validate() error {
	if s.Addr == "" {
		return nil
	}
	if err := checkAddr(s.Addr); err != nil {
		return config.Invalid("addr", "%v", err)
	}
	return nil
}

// echoSettings are the echo server's three listeners, a server each.
type echoSettings struct {
	Greeting bool           `toml:"greeting" default:"true" help:"send the family's 8-byte greeting on join"`
	LAN      serverSettings `toml:"lan"`
	Classic  serverSettings `toml:"classic"`
	Sealed   serverSettings `toml:"sealed"`
}

// serverSettings are one server's.
type serverSettings struct {
	Addr      string         `toml:"addr" help:"host:port to listen on; port 0 takes any free one"`
	Device    string         `toml:"device" help:"network card to listen on, by name"`
	AllowFrom []netip.Prefix `toml:"allow_from" reload:"true" help:"prefixes to accept connections from; empty for all"`
	Codec     string         `toml:"codec" help:"frame format: lan (not chat), classic (B), classic-a or sealed"`
	KeyFile   string         `toml:"key_file" default:"var/server.key" help:"sealed: file of the private key, made on the first start"`
	Code      uint8          `toml:"packet_code" default:"119" help:"classic: first byte of every frame"`
	Key       uint8          `toml:"packet_key" default:"50" secret:"true" help:"classic: the static key (A: the first)"`
	Key2      uint8          `toml:"packet_key2" default:"132" secret:"true" help:"classic A: the second static key"`
	MaxPacket config.Bytes   `toml:"max_packet" default:"8KiB" help:"largest packet; more ends the session with bad_length"`

	Workers     int  `toml:"workers" help:"event loops; 0 for one per processor"`
	MaxSessions int  `toml:"max_sessions" default:"10000" help:"most sessions at once; more are refused with refused_full"`
	Nagle       bool `toml:"nagle" help:"leave Nagle's algorithm on"`

	IdleTimeout      config.Timeout `toml:"idle_timeout" reload:"true" default:"60s" help:"without a complete frame for so long a session ends, or unlimited"`
	FrameTimeout     config.Timeout `toml:"frame_timeout" reload:"true" default:"10s" help:"a frame that is not completed for so long ends the session, or unlimited"`
	HandshakeTimeout config.Timeout `toml:"handshake_timeout" reload:"true" default:"5s" help:"a handshake that takes longer ends the session, or unlimited"`

	SendLimit        config.Bytes `toml:"send_limit" reload:"true" default:"1MiB" help:"most bytes that wait to be sent on one session"`
	SendLimitPackets int          `toml:"send_limit_packets" reload:"true" default:"4096" help:"most packets that wait to be sent on one session"`
	SendPolicy       string       `toml:"send_policy" reload:"true" default:"close" help:"at the send limit: close the session, or drop droppable packets"`
	OutputLimit      config.Bytes `toml:"output_limit" default:"256MiB" help:"most bytes that wait to be sent on all sessions"`
	RecvBudget       config.Bytes `toml:"recv_budget" reload:"true" default:"64KiB" help:"most bytes read from one session in a turn"`
	QueueLimit       int          `toml:"queue_limit" default:"16384" help:"most commands that wait for one worker, a power of two"`
	PacketLimit      int          `toml:"packet_limit" default:"65536" help:"most packets alive at once"`

	PacketRate    int  `toml:"packet_rate" reload:"true" help:"most packets a second and session; 0 for no limit"`
	PacketBurst   int  `toml:"packet_burst" reload:"true" help:"most packets in a burst; 0 for as many as the rate"`
	AcceptRate    int  `toml:"accept_rate" reload:"true" help:"most connections accepted a second; 0 for no limit"`
	SessionsPerIP int  `toml:"sessions_per_ip" reload:"true" help:"most sessions from one address; 0 for no limit"`
	LimitLoopback bool `toml:"limit_loopback" reload:"true" help:"let the last two count loopback too"`

	FlightRecords int    `toml:"flight_records" default:"4096" help:"packet records kept per worker, a power of two"`
	FlightDir     string `toml:"flight_dir" help:"directory for records that survive the process; empty for memory"`

	users bool // its clients are users: it is not served over LAN
}

// The ports of the defaults. --port-base puts another number in the place of 6000 in each of them.
const (
	defaultBase     = 6000
	portEchoLAN     = 6000
	portEchoClassic = 6001
	portEchoSealed  = 6002
	portChat        = 7002
	portOps         = 8080
)

// defaults returns the settings that the file, the environment and the flags change. The log of one server alone has a
// directory of that name, so that several can be started in one place.
func defaults(ports portBase, alone string) *settings {
	s := &settings{
		Ops: opsSettings{Addr: ports.addr(portOps)},
		Log: logSettings{Dir: filepath.Join(defaultLogDir, alone)},
	}
	s.Echo.LAN = serverSettings{Addr: ports.addr(portEchoLAN), Codec: "lan", MaxPacket: maxLANPacket}
	s.Echo.Classic = serverSettings{Addr: ports.addr(portEchoClassic), Codec: "classic"}
	s.Echo.Sealed = serverSettings{Addr: ports.addr(portEchoSealed), Codec: "sealed"}
	s.Chat = serverSettings{
		Addr: ports.addr(portChat), Codec: "sealed", IdleTimeout: config.Timeout(chat.IdleTimeout), PacketRate: chat.PacketRate,
		QueueLimit: chatQueueLimit, users: true,
	}
	return s
}

// portBase moves the default ports: nil leaves them, 0 makes each any free port.
type portBase struct{ base *int }

func (p portBase) addr(port int) string {
	switch {
	case p.base != nil && *p.base == 0:
		port = 0
	case p.base != nil:
		port += *p.base - defaultBase
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// configFlags are the flags of every command that reads the configuration.
type configFlags struct {
	Config   string            `placeholder:"FILE" help:"Configuration file (TOML); SIGHUP has a server read it again."`
	Set      map[string]string `placeholder:"KEY=VALUE" help:"Set a configuration key, such as chat.max_sessions=5000; check config lists them."`
	PortBase *int              `placeholder:"N" help:"Move every default port by N-6000 (echo then begins at N); 0 for any free ports."`
	OpsAddr  *string           `placeholder:"ADDR" help:"host:port of the operations pages; empty for none."`
}

// load reads the configuration; extra are keys set by other flags, alone is the server that is started alone.
func (f *configFlags) load(alone string, extra map[string]string) (*settings, *config.Effective, error) {
	if f.PortBase != nil && (*f.PortBase < 0 || *f.PortBase > 65535-(portOps-defaultBase)) {
		return nil, nil, usagef("--port-base %d: want 0..%d", *f.PortBase, 65535-(portOps-defaultBase))
	}
	flags := maps.Clone(f.Set)
	if flags == nil {
		flags = map[string]string{}
	}
	maps.Copy(flags, extra)
	if f.OpsAddr != nil {
		flags["ops.addr"] = *f.OpsAddr
	}
	s := defaults(portBase{f.PortBase}, alone)
	effective, err := config.Load(s, config.Options{File: f.Config, Env: environment(), Flags: flags, FlagName: f.flagName})
	return s, effective, err
}

// flagName returns the flag that set a key: --set KEY, or one of its own, which bears the key's last word.
func (f *configFlags) flagName(key string) string {
	if _, ok := f.Set[key]; ok {
		return "set " + key
	}
	if key == "ops.addr" {
		return "ops-addr"
	}
	return strings.ReplaceAll(key[strings.LastIndexByte(key, '.')+1:], "_", "-")
}

// Validate reports every value that makes no sense, alone or with the others, by what the engine thinks of them too.
func (s *serverSettings) Validate() error {
	var problems []error
	check := func(key string, err error) {
		if err != nil {
			problems = append(problems, config.Invalid(key, "%v", err))
		}
	}
	check("addr", checkAddr(s.Addr))
	if s.SendPolicy != "close" && s.SendPolicy != "drop" {
		check("send_policy", fmt.Errorf("%q is not close or drop", s.SendPolicy))
	}
	check("codec", s.checkCodec(s.Codec))
	codec, err := s.keylessCodec()
	if err != nil {
		problems = append(problems, config.Invalid("max_packet", "%v", err).Using("codec"))
	}
	for _, zero := range s.zeros() {
		check(zero, errors.New("is 0, want more"))
	}
	return errors.Join(append(problems, fieldProblems(validate(s.config("", codec)))...)...)
}

// checkCodec refuses a frame format that there is not, or that the server's clients cannot have.
func (s *serverSettings) checkCodec(name string) error {
	switch {
	case s.users && !slices.Contains(userCodecs, name):
		return fmt.Errorf("%q is not %s", name, wordsOf(userCodecs))
	case !slices.Contains(codecs, name):
		return fmt.Errorf("%q is not %s", name, wordsOf(codecs))
	}
	return nil
}

// zeros returns the keys whose value is 0 where 0 means nothing: the engine would take its default for it, which is not what
// stands there.
func (s *serverSettings) zeros() (keys []string) {
	for _, limit := range []struct {
		key   string
		value int64
	}{
		{"max_packet", int64(s.MaxPacket)}, {"max_sessions", int64(s.MaxSessions)},
		{"send_limit", int64(s.SendLimit)}, {"send_limit_packets", int64(s.SendLimitPackets)}, {"output_limit", int64(s.OutputLimit)},
		{"recv_budget", int64(s.RecvBudget)}, {"queue_limit", int64(s.QueueLimit)}, {"packet_limit", int64(s.PacketLimit)},
		{"flight_records", int64(s.FlightRecords)},
	} {
		if limit.value == 0 {
			keys = append(keys, limit.key)
		}
	}
	return keys
}

// validate returns what the server of that codec would refuse.
func validate(cfg engine.Config) error {
	if cfg.Codec.Kind() == frame.KindLAN {
		return lanserver.Validate(cfg)
	}
	return cfg.Validate()
}

// newServer makes the server of that codec: over LAN for trusted peers, else for users.
func newServer(cfg engine.Config, h engine.Handler) (*engine.Server, error) {
	if cfg.Codec.Kind() == frame.KindLAN {
		return lanserver.New(cfg, h)
	}
	return netserver.New(cfg, h)
}

// fieldProblems takes joined errors apart and names the keys of the fields that the engine refused.
func fieldProblems(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var problems []error
		for _, problem := range joined.Unwrap() {
			problems = append(problems, fieldProblems(problem)...)
		}
		return problems
	}
	if field, ok := errors.AsType[*engine.FieldError](err); ok {
		problem := config.Invalid(fieldKey(field.Field), "%s", field.Problem)
		for _, other := range field.Uses {
			problem = problem.Using(fieldKey(other))
			if other == "codec" {
				problem = problem.Using("max_packet") // its measure
			}
		}
		err = problem
	}
	return []error{err}
}

// fieldKey returns the key of a field that the engine names in words.
func fieldKey(field string) string {
	switch field {
	case "send limit bytes":
		return "send_limit"
	case "output limit bytes":
		return "output_limit"
	case "receive budget bytes":
		return "recv_budget"
	}
	return strings.ReplaceAll(field, " ", "_")
}

// The frame formats, and those that users may have: without a cipher or a key LAN is for trusted peers alone.
var (
	codecs     = append([]string{"lan"}, userCodecs...)
	userCodecs = []string{"classic", "classic-a", "sealed", "classic-b"}
)

// wordsOf names the formats; classic-b is classic.
func wordsOf(codecs []string) string {
	shown := codecs[:len(codecs)-1]
	return strings.Join(shown[:len(shown)-1], ", ") + " or " + shown[len(shown)-1]
}

// engineConfig turns the settings into the engine's configuration. The text is the public key of a sealed server.
func (s *serverSettings) engineConfig(name string) (engine.Config, string, error) {
	codec, public, err := s.codec()
	if err != nil {
		return engine.Config{}, "", fmt.Errorf("%s: %w", name, err)
	}
	return s.config(name, codec), public, nil
}

func (s *serverSettings) config(name string, codec frame.Codec) engine.Config {
	cfg := engine.Config{
		Name: name, Addr: s.Addr, Device: s.Device, AllowFrom: s.AllowFrom, Workers: s.Workers,
		MaxSessions: s.MaxSessions, Nagle: s.Nagle, Codec: codec, IdleTimeout: s.IdleTimeout.Duration(),
		FrameTimeout: s.FrameTimeout.Duration(), HandshakeTimeout: s.HandshakeTimeout.Duration(), SendLimitBytes: int(s.SendLimit),
		SendLimitPackets: s.SendLimitPackets, OutputLimitBytes: int(s.OutputLimit), RecvBudgetBytes: int(s.RecvBudget),
		PacketRate: s.PacketRate, PacketBurst: s.PacketBurst, AcceptRate: s.AcceptRate, SessionsPerIP: s.SessionsPerIP,
		LimitLoopback: s.LimitLoopback, QueueLimit: s.QueueLimit, PacketLimit: s.PacketLimit,
		FlightRecords: s.FlightRecords, FlightDir: s.FlightDir,
	}
	if s.SendPolicy == "drop" {
		cfg.SendPolicy = engine.DropDroppable
	}
	return cfg
}

// limits are the settings that a running server can change.
func (s *serverSettings) limits() engine.Limits { return s.config("", frame.Codec{}).Limits() }

// keylessCodec returns a codec of the same measures without touching the key file. With an error, or where there is no such
// codec, it is the one with the least measures, which lets the engine judge the rest.
func (s *serverSettings) keylessCodec() (codec frame.Codec, err error) {
	switch {
	case s.checkCodec(s.Codec) != nil:
		return leastCodec(), nil
	case s.Codec == "sealed":
		codec, err = frame.Sealed(frame.SealedConfig{Private: [32]byte{1}, MaxPayload: int(s.MaxPacket)})
	default:
		codec, _, err = s.codec()
	}
	if err != nil {
		return leastCodec(), err
	}
	return codec, nil
}

func leastCodec() frame.Codec {
	codec, err := frame.ClassicB(frame.ClassicConfig{MaxPayload: 1})
	if err != nil {
		panic("cli: " + err.Error()) // the same in each run
	}
	return codec
}

func (s *serverSettings) codec() (codec frame.Codec, public string, err error) {
	classic := frame.ClassicConfig{Code: s.Code, Key: s.Key, MaxPayload: int(s.MaxPacket)}
	switch s.Codec {
	case "sealed":
		return netserver.SealedFromFile(s.KeyFile, int(s.MaxPacket))
	case "classic-a":
		classic.Key2 = s.Key2
		codec, err = frame.ClassicA(classic)
	case "classic", "classic-b":
		codec, err = frame.ClassicB(classic)
	default:
		codec, err = frame.LAN(frame.LANConfig{MaxPayload: int(s.MaxPacket)})
	}
	return codec, "", err
}

// chatQueueLimit is large because every message is handed to many sessions: a second of 5,000 users' messages fits.
const chatQueueLimit = 128 << 10

// maxLANPacket is the largest payload of a LAN frame, which trusted peers may use.
const maxLANPacket = 65535
