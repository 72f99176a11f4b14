package engine

import (
	"net/netip"
	"testing"

	"vitrine/core/simnet"
)

// A link-local address comes with a zone, which no prefix has and the session does not keep: it must be admitted by its
// prefix, and what its sessions counted must be forgotten with them.
func TestSimAdmissionOfLinkLocalAddresses(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{
		Addr: "[::]:6000", SessionsPerIP: 1, AllowFrom: []netip.Prefix{netip.MustParsePrefix("fe80::/10")},
	})
	for visit := range 3 {
		c, err := s.net.Dial(netip.MustParseAddrPort("[fe80::1%2]:1000"), netip.MustParseAddrPort("[fe80::9]:6000"))
		if err != nil {
			t.Fatal(err)
		}
		s.settle()
		if len(s.handler.joined) != visit+1 {
			t.Fatalf("visit %d: joined %d, refused %v", visit, len(s.handler.joined), s.srv.Status().Refusals)
		}
		c.Close()
		s.settle()
	}
	s.checkEmpty()
	if len(s.srv.perIP.count) != 0 {
		t.Errorf("addresses still counted: %v", s.srv.perIP.count)
	}
}
