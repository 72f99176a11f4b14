//go:build invariants && linux

package poller

import "testing"

func TestEmptyBuffersPanicUnderInvariants(t *testing.T) {
	p := newTestPoller(t)
	for name, call := range map[string]func(){
		"Read":  func() { p.Read(0, nil) },
		"Write": func() { p.Write(0, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of nothing did not panic", name)
				}
			}()
			call()
		}()
	}
}
