package lanserver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

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

// New returns a server for peers on a trusted network, with workers and pools of its own. The codec must be LAN: the zero
// Codec for classic peers, PeerCodec for servers of ours. An Addr that means every address of the machine is refused unless
// AllowFrom or Device is set. IdleTimeout is Unlimited by default: servers may have nothing to say for hours.
func New(cfg Config, h Handler) (*Server, error) {
	if err := check(cfg); err != nil {
		return nil, fmt.Errorf("new lan server: %w", err)
	}
	return engine.New(withDefaults(cfg, "lan"), h)
}

// Validate returns every field at once that New would refuse, each as an *engine.FieldError, without making anything. Any
// goroutine may call it.
func Validate(cfg Config) error {
	return errors.Join(check(cfg), withDefaults(cfg, "lan").Validate())
}

func check(cfg Config) error { return errors.Join(checkCodec(cfg.Codec), checkAddr(cfg)) }

// PeerCodec returns the LAN codec between servers of ours: each side's first frame says its boot id and name, and packets
// may carry calls. Name is at most 255 bytes of UTF-8; maxPayload is in bytes, 0 for the limit, 32,767.
func PeerCodec(boot uint64, name string, maxPayload int) (frame.Codec, error) {
	return frame.LAN(frame.LANConfig{MaxPayload: maxPayload, Peer: &frame.PeerConfig{BootID: boot, Name: name}})
}

func withDefaults(cfg Config, name string) Config {
	if cfg.Name == "" {
		cfg.Name = name
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = engine.Unlimited
	}
	return cfg
}

func checkCodec(codec frame.Codec) error {
	if kind := codec.Kind(); kind != frame.KindLAN {
		return &engine.FieldError{
			Field: "codec", Problem: fmt.Sprintf("is %v, want lan: clients that speak %v belong to a net server", kind, kind),
		}
	}
	return nil
}

// isPeerCodec tells the codec between servers of ours from that of classic peers, whose frames can carry no calls.
func isPeerCodec(codec frame.Codec) bool { return codec.Kind() == frame.KindLAN && !codec.Stateless() }

func checkAddr(cfg Config) error {
	if len(cfg.AllowFrom) > 0 || cfg.Device != "" || !isWildcard(cfg.Addr) {
		return nil
	}
	return &engine.FieldError{
		Field: "addr", Problem: fmt.Sprintf("%q is every address of this machine: name one, or set allow from or device", cfg.Addr),
		Uses: []string{"allow from", "device", "codec"},
	}
}

// isWildcard reports whether addr has no host or the unspecified one. What cannot be read is left to the engine to refuse.
func isWildcard(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.WithZone("").Unmap().IsUnspecified()
}
