package config

import (
	"errors"
	"strings"
	"time"
)

// Timeout is a time limit that can be turned off. As text it is a duration above zero such as "30s", or "unlimited";
// "0s" is no text of it, because zero reads as "at once" to one and as "never" to another. The zero Timeout is for
// "not set": a key of this type wants a default.
type Timeout time.Duration

// Unlimited is no limit. Its Duration is -1, which is what the engine's Unlimited is.
const Unlimited Timeout = -1

// unlimited is the text of Unlimited.
const unlimited = "unlimited"

var errTimeout = errors.New("not a time limit")

// ParseTimeout reads a limit such as "30s" or "unlimited", with spaces around it or none.
func ParseTimeout(text string) (Timeout, error) {
	text = strings.TrimSpace(text)
	if text == unlimited {
		return Unlimited, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, errTimeout
	}
	return Timeout(d), nil
}

// Duration gives the limit for those who take a negative one for none.
func (t Timeout) Duration() time.Duration { return time.Duration(t) }

// String is "unlimited" for every negative limit, else the duration without zeros at its end: "1m", not "1m0s".
func (t Timeout) String() string {
	if t < 0 {
		return unlimited
	}
	return shortDuration(time.Duration(t))
}

// MarshalText gives the text of String.
func (t Timeout) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the text as ParseTimeout does and leaves t alone on an error.
func (t *Timeout) UnmarshalText(text []byte) error {
	limit, err := ParseTimeout(string(text))
	if err == nil {
		*t = limit
	}
	return err
}
