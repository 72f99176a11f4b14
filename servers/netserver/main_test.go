package netserver_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/servers/netserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// handler lets a test say what happens in each callback.
type handler struct {
	join  func(*netserver.Session)
	recv  func(*netserver.Session, *packet.Reader)
	leave func(*netserver.Session, netserver.Reason)
}

func (h handler) OnClientJoin(s *netserver.Session) {
	if h.join != nil {
		h.join(s)
	}
}

func (h handler) OnRecv(s *netserver.Session, in *packet.Reader) {
	if h.recv != nil {
		h.recv(s, in)
	}
}

func (h handler) OnClientLeave(s *netserver.Session, reason netserver.Reason) {
	if h.leave != nil {
		h.leave(s, reason)
	}
}

func echo(s *netserver.Session, in *packet.Reader) { s.Send(s.NewPacket().Bytes(in.Rest())) }

// listen starts a server that the test's end stops.
func listen(t testing.TB, cfg netserver.Config, h netserver.Handler) *netserver.Server {
	t.Helper()
	cfg.Addr, cfg.Workers = "127.0.0.1:0", 1
	srv, err := netserver.New(cfg, h)
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { within(t, srv.Stop) })
	return srv
}

func within(t testing.TB, end func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := end(ctx); err != nil {
		t.Error(err)
	}
}

// sealed returns a server's codec with a key of its own, and that of its clients.
func sealed(t testing.TB) (server, client frame.Codec) {
	t.Helper()
	server, text, err := netserver.SealedFromFile(filepath.Join(t.TempDir(), "server.key"), 0)
	if err != nil {
		t.Fatal(err)
	}
	return server, clientOf(t, text)
}

func clientOf(t testing.TB, public string) frame.Codec {
	t.Helper()
	key, err := frame.ParseKey(public)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := frame.Sealed(frame.SealedConfig{PublicKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

func receive[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}

func TestKeyFileIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "server.key")
	const servers = 16
	publics := make([]string, servers)
	var starting sync.WaitGroup
	for i := range servers {
		starting.Go(func() {
			_, public, err := netserver.SealedFromFile(path, 0)
			if err != nil {
				t.Error(err)
			}
			publics[i] = public
		})
	}
	starting.Wait()
	for _, public := range publics {
		if public == "" || public != publics[0] {
			t.Errorf("public keys %q and %q of one file", public, publics[0])
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("%d files, %v, want the key alone", len(files), err)
	}
	text, _ := os.ReadFile(path)
	private, err := frame.ParseKey(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if public, _ := frame.PublicKey(private); frame.FormatKey(public) != publics[0] {
		t.Error("the public key is not that of the file")
	}
}

func TestKeyFileRefused(t *testing.T) {
	good := frame.FormatKey([frame.KeyLen]byte{1}) + "\n"
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"group reads":    {good, 0o640, "chmod 600"},
		"world reads":    {good, 0o604, "chmod 600"},
		"world writes":   {good, 0o602, "chmod 600"},
		"empty":          {"", 0o600, "is no key file"},
		"truncated":      {good[:20], 0o600, "is no key file"},
		"garbage":        {"!" + good[1:], 0o600, "character 1"},
		"two keys":       {good + good, 0o600, "is no key file"},
		"a large file":   {strings.Repeat("A", 1<<20), 0o600, "is no key file"},
		"nothing but 0s": {frame.FormatKey([frame.KeyLen]byte{}), 0o600, "all zero"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "server.key")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			os.Chmod(path, test.mode)
			_, _, err := netserver.SealedFromFile(path, 0)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want an error with %q and the path", err, test.want)
			}
			if err != nil && len(test.text) > 8 && strings.Contains(err.Error(), test.text[1:8]) && name != "a large file" {
				t.Errorf("the error shows the key: %v", err)
			}
			if after, _ := os.ReadFile(path); string(after) != test.text {
				t.Error("the file was changed")
			}
		})
	}
	if _, _, err := netserver.SealedFromFile(t.TempDir(), 0); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestMaxPayloadOfKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.key")
	codec, _, err := netserver.SealedFromFile(path, 100)
	if err != nil || codec.MaxPayload() != 100 {
		t.Errorf("max payload %d, %v, want 100", codec.MaxPayload(), err)
	}
	if _, _, err := netserver.SealedFromFile(path, 1<<20); err == nil {
		t.Error("a payload beyond the format is accepted")
	}
}
