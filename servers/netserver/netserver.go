package netserver

import (
	"fmt"

	"vitrine/core/engine"
	"vitrine/core/frame"
)

// What a server of this package is made of is the engine's; see there for each contract.
type (
	Config   = engine.Config
	Handler  = engine.Handler
	ID       = engine.ID
	Limits   = engine.Limits
	Observer = engine.Observer
	Reason   = engine.Reason
	Server   = engine.Server
	Session  = engine.Session
)

// New returns a server for clients on the open network. A Config without a codec is sealed with the key of DefaultKeyFile,
// which is made on the first start. The LAN codec, the zero value, counts as none: it has no checksum and no cipher.
func New(cfg Config, h Handler) (*Server, error) {
	if err := setCodec(&cfg); err != nil {
		return nil, fmt.Errorf("new net server: %w", err)
	}
	if cfg.Name == "" {
		cfg.Name = "net"
	}
	return engine.New(cfg, h)
}

func setCodec(cfg *Config) (err error) {
	if cfg.Codec.Kind() == frame.KindLAN {
		cfg.Codec, _, err = SealedFromFile(DefaultKeyFile, 0)
	}
	return err
}
