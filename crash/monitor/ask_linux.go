package monitor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// askName is the socket of a run directory on which a server says of itself what a report from outside, a [Dump], cannot know.
const askName = "ask"

// askLimit is how long an asker may take to ask, and to take the answer; a server answers one asker at a time, and one that ends waits
// for that.
const askLimit = time.Second

// ListenForAskers makes the socket on which a server is asked. Its directory is this user's alone, and so are the askers.
func ListenForAskers(runDir string) (net.Listener, error) {
	path, done, err := askPath(runDir)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen for askers: %w", err)
	}
	l.SetUnlinkOnClose(false) // its path is gone by then; the run directory is removed as a whole
	return l, nil
}

// AnswerAskers answers whoever asks by explain, until the listener is closed.
func AnswerAskers(l net.Listener, explain func(id uint64) *Sources) {
	for {
		c, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // descriptors are used up, perhaps for a while
			time.Sleep(askPause)
		default:
			answer(c, explain)
		}
	}
}

// askPause is how long a server waits after it could not accept an asker.
const askPause = 100 * time.Millisecond

// answer deals with one asker. One that does not speak our language gets nothing.
func answer(c net.Conn, explain func(id uint64) *Sources) {
	defer c.Close()
	if c.SetDeadline(time.Now().Add(askLimit)) != nil {
		return
	}
	conn := NewConn(c)
	if question, err := conn.Receive(); err == nil {
		if e, ok := question.(*Explain); ok {
			sources := explain(e.ID)
			_ = c.SetDeadline(time.Now().Add(askLimit))
			_ = conn.Send(sources) // an asker that is gone needs no answer
		}
	}
}

// ask has a server say what only it knows, within ExplainLimit.
func ask(runDir string) (*Sources, error) {
	path, done, err := askPath(runDir)
	if err != nil {
		return nil, err
	}
	defer done()
	c, err := net.DialTimeout("unix", path, ExplainLimit)
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(ExplainLimit)); err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	conn := NewConn(c)
	if err := conn.Send(&Explain{}); err != nil {
		return nil, err
	}
	answer, err := conn.Receive()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("it did not answer within %v", ExplainLimit)
	}
	if err != nil {
		return nil, fmt.Errorf("hear the server: %w", err)
	}
	s, ok := answer.(*Sources)
	if !ok {
		return nil, fmt.Errorf("hear the server: %w: %T", errFrame, answer)
	}
	return s, nil
}

// askPath names the socket by the directory's descriptor: a path of a socket has 107 bytes at most, that of a directory more.
func askPath(runDir string) (path string, done func(), err error) {
	fd, err := unix.Open(runDir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, fmt.Errorf("run directory %q: %w", runDir, err)
	}
	return filepath.Join("/proc/self/fd", fmt.Sprint(fd), askName), func() { unix.Close(fd) }, nil
}
