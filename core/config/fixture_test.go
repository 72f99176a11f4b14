package config

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sample has a field of every kind of value. Its rules: Net.Low <= Net.High, Net.Max is not 13, and Zones must not hold
// "void".
type sample struct {
	Name string `toml:"name" default:"vitrine" help:"What the server is called"`
	Net  struct {
		Addr      netip.AddrPort `toml:"addr" default:"127.0.0.1:6000"`
		AllowFrom []netip.Prefix `toml:"allow_from" default:"127.0.0.0/8, ::1/128" help:"Who may connect"`
		Max       int            `toml:"max_sessions" default:"1000" reload:"true"`
		Port      uint16         `toml:"port"`
		Low       int8           `toml:"low" reload:"true"`
		High      int            `toml:"high" default:"10"`
		netLimits
	} `toml:"net" help:"The listener"`
	Log struct {
		Level slog.Level `toml:"level" default:"INFO"`
		Color bool       `toml:"color" default:"true"`
	} `toml:"log" reload:"true"`
	DB struct {
		Password string   `toml:"password" secret:"true"`
		Pin      int      `toml:"pin" secret:"true"`
		Hosts    []string `toml:"hosts" secret:"true"`
	} `toml:"db"`
	Zones  []string     `toml:"zones" reload:"true"`
	Ratio  float32      `toml:"ratio" default:"0.5"`
	Passed func() error `toml:"-"`
}

// netLimits is embedded: its keys lie in the table around it.
type netLimits struct {
	RecvLimit Bytes         `toml:"recv_limit" default:"64KiB" reload:"true"`
	Idle      time.Duration `toml:"idle_timeout" default:"40s" reload:"true"`
}

func (s *sample) Validate() error {
	var errs []error
	if s.Net.Low > int8(s.Net.High) {
		errs = append(errs, Invalid("net.low", "%d is above net.high, %d", s.Net.Low, s.Net.High).Using("net.high"))
	}
	if s.Net.Max == 13 {
		errs = append(errs, Invalid("net.max_sessions", "13 is unlucky"))
	}
	for i, z := range s.Zones {
		if z == "void" {
			errs = append(errs, Invalid(item("zones", i), "void is no zone"))
		}
	}
	return errors.Join(errs...)
}

// write puts a configuration file into a folder of the test.
func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// problems loads a sample and gives its problems, one a line, with the file called f.toml.
func problems(t testing.TB, text string, opts Options) string {
	t.Helper()
	opts.File = write(t, text)
	var s sample
	_, err := Load(&s, opts)
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), opts.File, "f.toml")
}

// structOf is the struct that a pointer to a sample points to.
func structOf(s *sample) reflect.Value { return reflect.ValueOf(s).Elem() }
