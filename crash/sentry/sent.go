package sentry

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// The sent list: lines of an id and a line feed, oldest first.
const (
	sentLine     = 33
	maxSentBytes = 2 * MaxSent * sentLine
)

// known tells whether an event is in the spool or done. Called under the state lock.
func (s *Sender) known(id string) bool {
	if _, err := os.Lstat(s.path(id + suffix)); err == nil {
		return true
	}
	return s.isDone(id)
}

// isDone tells whether an event was sent or dropped. A list that cannot be read knows none: the server drops what
// comes twice.
func (s *Sender) isDone(id string) bool {
	list, err := readFile(s.path(sentName), maxSentBytes+sentLine)
	return err == nil && bytes.Contains(list, []byte(id+"\n"))
}

// addSent remembers that an event is done, durably. Called under the state lock.
func (s *Sender) addSent(id string) error {
	list, err := readFile(s.path(sentName), maxSentBytes+sentLine)
	switch {
	case missing(err):
	case errors.Is(err, errTooLarge), errors.Is(err, errNotAFile):
		list, err = nil, s.setAside(sentName)
		if err != nil {
			return fmt.Errorf("sent list: %w", err)
		}
	case err != nil:
		return fmt.Errorf("sent list: %w", err)
	}
	if len(list)+2*sentLine > maxSentBytes {
		list = list[len(list)-MaxSent*sentLine:]
		list = list[bytes.IndexByte(list, '\n')+1:]
		return s.writeFile(sentName, append(list, id+"\n"...))
	}
	return s.appendSent(id + "\n") // behind a torn line it is found all the same
}

func (s *Sender) appendSent(line string) error {
	f, err := os.OpenFile(s.path(sentName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, fileMode)
	if err != nil {
		return fmt.Errorf("sent list: %w", err)
	}
	_, err = f.WriteString(line)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sent list: %w", err)
	}
	return nil
}
