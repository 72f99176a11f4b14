package cli

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// outlet is output that somebody reads, who may leave: from then on nothing is written. Any goroutine may write.
type outlet struct {
	to       io.Writer   // fixed
	deserted func()      // told when the reader has left; fixed before the first Write; nil = nobody is told
	gone     atomic.Bool // the reader has left
}

// errDeserted is how a run ends whose reader has left.
var errDeserted = errors.New("nobody reads the output any more: ended early")

// Write writes, or does as if once the reader has left.
func (o *outlet) Write(p []byte) (int, error) {
	if o.gone.Load() {
		return len(p), nil
	}
	n, err := o.to.Write(p)
	if !errors.Is(err, syscall.EPIPE) {
		return n, err
	}
	if !o.gone.Swap(true) && o.deserted != nil {
		o.deserted()
	}
	return len(p), nil
}

// isDeserted reports whether the reader has left.
func (o *outlet) isDeserted() bool { return o.gone.Load() }

// outlivePipes makes a write to a pipe whose reader has left an error, on standard output and standard error too, where it would
// end the process. restore undoes it.
func outlivePipes() (restore func()) {
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGPIPE)
	return func() { signal.Stop(ignored) }
}
