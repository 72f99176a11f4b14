package chaos_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"vitrine/core/engine"
	"vitrine/core/packet"
	"vitrine/servers/demo/chaos"
)

// full notes each callback.
type full struct{ calls []string }

func (f *full) note(name string) { f.calls = append(f.calls, name) }

func (f *full) OnConnectionRequest(netip.AddrPort) bool      { f.note("request"); return false }
func (f *full) OnClientJoin(*engine.Session)                 { f.note("join") }
func (f *full) OnRecv(*engine.Session, *packet.Reader)       { f.note("recv") }
func (f *full) OnSend(*engine.Session, int)                  { f.note("send") }
func (f *full) OnClientLeave(*engine.Session, engine.Reason) { f.note("leave") }
func (f *full) OnWorkerThreadBegin(int)                      { f.note("worker-begin") }
func (f *full) OnWorkerThreadEnd(int)                        { f.note("worker-end") }
func (f *full) OnError(error)                                { f.note("error") }

// bare has no optional callback.
type bare struct{}

func (bare) OnClientJoin(*engine.Session)                 {}
func (bare) OnRecv(*engine.Session, *packet.Reader)       {}
func (bare) OnClientLeave(*engine.Session, engine.Reason) {}

// callAll calls every callback in the order of Seams and returns where it panicked.
func callAll(h *chaos.Handler) (panicked []string) {
	calls := map[string]func(){
		"request": func() { h.OnConnectionRequest(netip.AddrPort{}) }, "join": func() { h.OnClientJoin(nil) },
		"recv": func() { h.OnRecv(nil, nil) }, "send": func() { h.OnSend(nil, 1) },
		"leave":        func() { h.OnClientLeave(nil, engine.PeerClosed) },
		"worker-begin": func() { h.OnWorkerThreadBegin(0) }, "worker-end": func() { h.OnWorkerThreadEnd(0) },
	}
	for _, seam := range chaos.Seams() {
		func() {
			defer func() {
				if value := recover(); value != nil {
					panicked = append(panicked, fmt.Sprint(value))
				}
			}()
			calls[seam]()
		}()
	}
	return panicked
}

func TestPanicsOnceAtTheSeamThatIsArmed(t *testing.T) {
	for _, seam := range chaos.Seams() {
		h := chaos.Wrap(bare{})
		if err := h.Arm(seam); err != nil {
			t.Fatal(err)
		}
		if got := callAll(h); !slices.Equal(got, []string{"chaos at " + seam}) {
			t.Errorf("armed %s: panicked at %v", seam, got)
		}
		if got := callAll(h); got != nil {
			t.Errorf("armed %s once: panicked again at %v", seam, got)
		}
	}
}

func TestHandsEveryCallbackOn(t *testing.T) {
	f := new(full)
	h := chaos.Wrap(f)
	if callAll(h) != nil || h.OnConnectionRequest(netip.AddrPort{}) {
		t.Error("panicked unarmed, or took a connection that the wrapped handler refuses")
	}
	h.OnError(errors.New("bad"))
	want := append(chaos.Seams(), "request", "error")
	if !slices.Equal(f.calls, want) {
		t.Errorf("handed on %v, want %v", f.calls, want)
	}
	if !chaos.Wrap(bare{}).OnConnectionRequest(netip.AddrPort{}) {
		t.Error("refused a connection where the wrapped handler has no say")
	}
}

func TestArmNamesTheSeams(t *testing.T) {
	for _, name := range []string{"", "nose"} {
		if err := chaos.Wrap(bare{}).Arm(name); err == nil {
			t.Errorf("%q: armed", name)
		}
	}
}

// A handler that panics when it is told to.
func ExampleWrap() {
	h := chaos.Wrap(bare{})
	fmt.Println(h.Arm("nose"))
	h.Arm("recv")
	defer func() { fmt.Println(recover()) }()
	h.OnRecv(nil, nil) // the engine calls it
	// Output:
	// no seam "nose": there are request, join, recv, send, leave, worker-begin, worker-end
	// chaos at recv
}
