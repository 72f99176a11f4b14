package cli

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Limits of a host name, in bytes.
const (
	maxHostName = 253
	maxLabel    = 63
)

// checkAddr says what is wrong with a host:port to listen on: the same that would be wrong with it in the end, but for names
// that nobody knows. It asks no name server.
func checkAddr(addr string) error {
	if addr == "" {
		return errors.New("is empty, want host:port")
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		why := err.Error()
		if split, ok := errors.AsType[*net.AddrError](err); ok {
			why = split.Err
		}
		return fmt.Errorf("%q is not host:port: %s", addr, why)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%q: port %q is neither 0..65535 nor the name of a service", addr, port)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !isHostName(host) {
		return fmt.Errorf("%q: host %q is neither an IP address nor a name", addr, host)
	}
	return nil
}

// checkPeer is checkAddr for an address to connect to, whose port must be one.
func checkPeer(addr string) error {
	if err := checkAddr(addr); err != nil {
		return err
	}
	_, text, _ := net.SplitHostPort(addr) // checkAddr has
	if port, err := net.LookupPort("tcp", text); err != nil || port == 0 {
		return fmt.Errorf("%q: nobody listens on port 0", addr)
	}
	return nil
}

// isHostName reports whether a name server could know the name: labels of letters, digits, - and _, of which the last is no
// number, as it is in an IP address with a mistake.
func isHostName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > maxHostName {
		return false
	}
	last := ""
	for last = range strings.SplitSeq(name, ".") {
		if last == "" || len(last) > maxLabel || last[0] == '-' || last[len(last)-1] == '-' || strings.ContainsFunc(last, notInName) {
			return false
		}
	}
	return strings.Trim(last, "0123456789") != ""
}

func notInName(r rune) bool {
	return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}
