//go:build !linux

package poller

import (
	"errors"
	"testing"
)

func TestOtherPlatformsSayUnsupported(t *testing.T) {
	if _, err := System().NewPoller(); !errors.Is(err, ErrUnsupported) {
		t.Errorf("new poller: %v, want ErrUnsupported", err)
	}
	if _, _, err := System().Listen(ListenConfig{Addr: "127.0.0.1:0"}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("listen: %v, want ErrUnsupported", err)
	}
}
