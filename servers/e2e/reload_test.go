//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vitrine/core/frame"
)

// configFile is a configuration file that a test edits under a running program.
type configFile struct {
	t    *testing.T
	path string
}

func newConfigFile(t *testing.T, lines ...string) configFile {
	f := configFile{t, filepath.Join(t.TempDir(), "vitrine.toml")}
	f.write(lines...)
	return f
}

func (f configFile) write(lines ...string) {
	f.t.Helper()
	if err := os.WriteFile(f.path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// say sends n packets at once and returns how many echoes came before the end of the stream.
func say(c *client, n int) (echoes int, err error) {
	var all []byte
	for range n {
		all = append(all, c.seal([]byte("hello"))...)
	}
	if _, err := c.conn.Write(all); err != nil {
		return 0, err
	}
	for echoes = 0; echoes < n && err == nil; echoes++ {
		_, err = c.receive()
	}
	if err != nil {
		echoes--
	}
	return echoes, err
}

func dialEcho(t *testing.T, addr string) *client {
	t.Helper()
	c, err := connect(addr, frame.Codec{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.conn.Close() })
	return c
}

// TestServeReloadsItsLimits edits the file of a running server: a limit changes for the session that is there, an address
// does not, mistakes change nothing, and a file that is put right is taken again.
func TestServeReloadsItsLimits(t *testing.T) {
	const burst, flood = 20, 1000
	file := newConfigFile(t, `[echo.lan]`, `addr = "127.0.0.1:0"`)
	p := launch(t, "serve", "echo", "--greeting=false", "--config", file.path, "--ops-addr", "127.0.0.1:0")
	addr := p.find(`^listening on (\S+)`)[1]
	c := dialEcho(t, addr)
	if n, err := say(c, flood); n != flood || err != nil {
		t.Fatalf("without a limit: %d echoes, %v, want %d", n, err, flood)
	}

	file.write(`[echo.lan]`, `addr = "127.0.0.1:9"`, `packet_rate = 1`, fmt.Sprintf(`packet_burst = %d`, burst), `[chat]`, `packet_rate = 77`)
	p.signal(syscall.SIGHUP)
	p.find(`^\[config\] \[\S+ / SYSTEM\] setting changed key=echo.lan.packet_rate old=0 new=1 source=\S+vitrine.toml:3$`)
	p.find(`SYSTEM\] setting changed key=echo.lan.packet_burst old=0 new=20 `)
	p.find(`WARN\] setting needs a restart key=echo.lan.addr old="\S+127.0.0.1:0\S+ new="\S+127.0.0.1:9\S+ source=\S+vitrine.toml:2`)
	if n, err := say(c, flood); n < burst || n == flood || err == nil {
		t.Errorf("with a limit: %d echoes, %v, want about %d and the end", n, err, burst)
	}
	p.find(`reloaded functions=1 failed=0`)
	if said := p.stderr(); strings.Contains(said, "key=chat.packet_rate") {
		t.Error("the log names a key of a server that does not run")
	}
	if figures := p.figures("echo-lan"); figures.CloseReasons["rate_limited"] != 1 {
		t.Errorf("closed %v, want one rate_limited", figures.CloseReasons)
	}

	file.write(`[echo.lan]`, `packet_rate = "lots"`, `idle_timeout = 5`, `colour = 1`, `packet_burst = 2000`)
	p.signal(syscall.SIGHUP)
	failed := p.find(`ERROR\] reload failed error="(.*)"$`)[1]
	for _, want := range []string{"vitrine.toml:2: echo.lan.packet_rate", "vitrine.toml:3: echo.lan.idle_timeout", "vitrine.toml:4: echo.lan.colour"} {
		if !strings.Contains(failed, want) {
			t.Errorf("the error does not name %q: %s", want, failed)
		}
	}
	if n, err := say(dialEcho(t, addr), flood); n < burst || n == flood || !ended(err) {
		t.Errorf("after a bad file: %d echoes, %v, want about %d and the end", n, err, burst)
	}

	file.write(`[echo.lan]`, `addr = "127.0.0.1:0"`)
	p.signal(syscall.SIGHUP)
	p.find(`setting changed key=echo.lan.packet_rate old=1 new=0 source=default`)
	p.find(`setting changed key=echo.lan.packet_burst old=20 new=0 source=default`)
	if n, err := say(dialEcho(t, addr), flood); n != flood || err != nil {
		t.Errorf("without a limit again: %d echoes, %v, want %d", n, err, flood)
	}
	p.signal(syscall.SIGTERM)
	if status := p.status(patience); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}

// ended tells the end of a stream, in order or not, from a time that ran out.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// Every server of the whole stack gets its own limits, or none does.
func TestUpReloadsEveryServer(t *testing.T) {
	file := newConfigFile(t)
	p := launch(t, "up", "--port-base", "0", "--config", file.path)
	sealed := p.server("echo-sealed")
	c, err := connect(sealed.addr, parseCodec(t, "sealed", sealed))
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()

	file.write(`[echo.sealed]`, `idle_timeout = "20ms"`, `[chat]`, `send_limit = "1KiB"`)
	p.signal(syscall.SIGHUP)
	p.find(`ERROR\] reload failed error="[^"]*vitrine.toml:4: chat.send_limit: is 1024, want`)

	file.write(`[echo.sealed]`, `idle_timeout = "30ms"`, `[chat]`, `send_limit = "2MiB"`, `max_sessions = 7`)
	p.signal(syscall.SIGHUP)
	p.find(`setting changed key=echo.sealed.idle_timeout old="\S+1m\S+ new="\S+30ms\S+ `)
	p.find(`setting changed key=chat.send_limit old="\S+1MiB\S+ new="\S+2MiB\S+ `)
	p.find(`setting needs a restart key=chat.max_sessions old=10000 new=7 `)
	for err = nil; err == nil; { // the greeting first
		_, err = c.receive()
	}
	if !errors.Is(err, frame.ErrClosed) {
		t.Errorf("the idle session ended with %v, want %v", err, frame.ErrClosed)
	}
	p.signal(syscall.SIGTERM)
	if status := p.status(patience); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}
