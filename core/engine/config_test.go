package engine

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vitrine/core/config"
	"vitrine/core/frame"
)

// Every bad field is named once, with what it may be, and none because of another.
func TestEachBadFieldIsNamedOnce(t *testing.T) {
	bad := Config{
		Workers: -3, MaxSessions: -1, SendLimitBytes: 1 << 31, SendLimitPackets: -1, OutputLimitBytes: 1 << 20, SendPolicy: 9,
		RecvBudgetBytes: -1, PacketRate: -7, PacketBurst: -1, AcceptRate: -7, SessionsPerIP: -7, QueueLimit: -1, PacketLimit: 1,
		FlightRecords: -1, IdleTimeout: time.Microsecond, FrameTimeout: -2, HandshakeTimeout: -time.Second,
	}
	want := `workers is -3, want 1..1024
max sessions is -1, want 1..16777152
send limit bytes is 2147483648, want 65537..1073741824
send limit packets is -1, want 1..16777216
receive budget bytes is -1, want 1..1073741824
packet limit is 1, want 64..16777152
queue limit is -1, want a power of two, 2..16777216
flight records is -1, want a power of two, 64..65536
packet rate is -7, want a positive number, 0 or -1
accept rate is -7, want a positive number, 0 or -1
sessions per ip is -7, want a positive number, 0 or -1
idle timeout is 1µs, want at least 1ms, or unlimited
frame timeout is -2ns, want at least 1ms, or unlimited
handshake timeout is -1s, want at least 1ms, or unlimited
send policy is 9, want CloseWhenFull or DropDroppable`
	if got := bad.Validate(); got == nil || got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
}

// A bound that follows from another field says from which.
func TestFieldErrorNamesWhatItWasComparedWith(t *testing.T) {
	large, err := frame.LAN(frame.LANConfig{MaxPayload: 65535})
	if err != nil {
		t.Fatal(err)
	}
	for uses, cfg := range map[string]Config{
		"codec":            {Codec: large, SendLimitBytes: 9000},
		"send limit bytes": {OutputLimitBytes: 9000},
		"packet rate":      {PacketRate: 5, PacketBurst: -1},
		"":                 {Workers: -1},
	} {
		field, ok := errors.AsType[*FieldError](cfg.Validate())
		if !ok || strings.Join(field.Uses, ",") != uses {
			t.Errorf("%+v, want it to use %q", field, uses)
		}
	}
}

// The word of a configuration file means what it says here.
func TestUnlimitedOfAFileIsUnlimited(t *testing.T) {
	limit, err := config.ParseTimeout("unlimited")
	if err != nil || limit.Duration() != Unlimited {
		t.Errorf("got %d, %v, want %d", limit, err, Unlimited)
	}
	cfg := Config{IdleTimeout: limit.Duration(), FrameTimeout: limit.Duration(), HandshakeTimeout: limit.Duration()}
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
}
