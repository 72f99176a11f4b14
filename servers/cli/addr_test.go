package cli

import (
	"strings"
	"testing"
)

func TestAddressesToListenOn(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:0":                      "",
		"127.0.0.1:http":                   "",
		":7000":                            "",
		"[::1]:7000":                       "",
		"[fe80::1%eth0]:7000":              "",
		"localhost:65535":                  "",
		"game-1.example_2.com.:7000":       "",
		"":                                 "is empty",
		"nonsense":                         "missing port",
		"127.0.0.1":                        "missing port",
		"::1:7000":                         "too many colons",
		"127.0.0.1:65536":                  "port",
		"127.0.0.1:-1":                     "port",
		"127.0.0.1:no-such-service":        "port",
		"127.0.0.256:7000":                 "neither an IP address nor a name",
		"10.0.0:7000":                      "neither an IP address nor a name",
		"no host:7000":                     "neither an IP address nor a name",
		"-host:7000":                       "neither an IP address nor a name",
		"a..b:7000":                        "neither an IP address nor a name",
		strings.Repeat("a", 64) + ".com:1": "neither an IP address nor a name",
	} {
		err := checkAddr(addr)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", addr, err, want)
		}
	}
}

func TestAddressesToConnectTo(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:7000": true, "localhost:7000": true, "127.0.0.1:0": false, "127.0.0.1:": false, "foo": false,
	} {
		if err := checkPeer(addr); (err == nil) != ok {
			t.Errorf("%q: got %v, want ok %v", addr, err, ok)
		}
	}
}
