package sentry

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"vitrine/crash/bundle"
)

// Fate is what became of the event of a bundle.
type Fate struct {
	Waits    bool      // in the spool
	Done     bool      // the server took it, or refused it for good; neither: it never entered the spool, or fell out of it
	Failures int       // attempts in a row that failed, of the spool
	Next     time.Time // no attempt before; zero = at any time
	Last     string    // why the last attempt failed; as the server or the system said it
}

// FateOf tells what became of the event of a bundle by the spool in a directory. It changes nothing and takes no lock, so it can be
// asked of a spool on a disk that cannot be written. A spool that is not there knows nothing, which is no error.
func FateOf(spool string, m *bundle.Meta) (Fate, error) {
	s := &Sender{config: Config{Spool: spool}}
	id := EventID(m)
	var f Fate
	list, err := readFile(filepath.Join(spool, sentName), maxSentBytes+sentLine)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, fmt.Errorf("sent list: %w", err)
	}
	f.Done = bytes.Contains(list, []byte(id+"\n"))
	_, err = os.Lstat(filepath.Join(spool, id+suffix))
	if f.Waits = err == nil && !f.Done; f.Waits {
		st := s.readState()
		f.Failures, f.Next, f.Last = st.Failures, st.Until, st.Last
	}
	return f, nil
}
