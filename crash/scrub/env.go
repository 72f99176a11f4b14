package scrub

import "strings"

// shownVariables are the names of the environment that may be shown. Those that begin with LC_ or VITRINE_ may be too.
const shownVariables = "GODEBUG GOMAXPROCS GOGC GOMEMLIMIT GOTRACEBACK GOROOT GOOS GOARCH GOAMD64 GOARM64 GOEXPERIMENT GOCOVERDIR GOFLAGS GORACE" +
	" LANG LANGUAGE TZ HOSTNAME"

const (
	maxLabelKey   = 128 // bytes of a label's key that are kept
	maxLabelValue = 256 // and of its value
	maxVariable   = 1 << 10
)

// Env returns the variables of an environment, NAME=value each, that may be shown, all others being left out. Values
// are scrubbed and cut at 1 KiB; of those with a secret name only the name is shown.
func (s *Scrubber) Env(env []string) map[string]string {
	s = s.orStandard()
	shown := map[string]string{}
	for _, variable := range env {
		name, value, ok := strings.Cut(variable, "=")
		if ok && (s.env[name] || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "VITRINE_")) {
			shown[s.Text(name, maxLabelKey)] = s.value(name, value, maxVariable)
		}
	}
	return shown
}

// Labels returns the labels of a goroutine, scrubbed, keys cut at 128 bytes and values at 256. The map is the caller's,
// nil for nil.
func (s *Scrubber) Labels(labels map[string]string) map[string]string {
	if labels == nil {
		return nil
	}
	s = s.orStandard()
	clean := make(map[string]string, len(labels))
	for key, value := range labels {
		clean[s.Text(key, maxLabelKey)] = s.value(key, value, maxLabelValue)
	}
	return clean
}

// value returns the value of a key.
func (s *Scrubber) value(key, value string, max int) string {
	switch {
	case value == "":
		return ""
	case s.Secret(key):
		return mark
	case isPublic(key) && isHexText(value):
		return s.verbatim(value[:min(len(value), max)])
	}
	return s.Text(value, max)
}

func isHexText(value string) bool {
	for i := range len(value) {
		if !isHexDigit(value[i]) && value[i] != '-' {
			return false
		}
	}
	return true
}

// Args returns the arguments of a command, scrubbed, each cut at 1 KiB: those of secret flags too, which stand in an
// argument of their own. The slice is the caller's.
func (s *Scrubber) Args(args []string) []string {
	s = s.orStandard()
	clean := make([]string, len(args))
	for i, arg := range args {
		clean[i] = s.Text(arg, maxVariable)
		if i > 0 && arg != "" && arg[0] != '-' && s.isSecretFlag(args[i-1]) {
			clean[i] = mark
		}
	}
	return clean
}

func (s *Scrubber) isSecretFlag(arg string) bool {
	return strings.HasPrefix(arg, "-") && !strings.Contains(arg, "=") && s.Secret(strings.TrimLeft(arg, "-"))
}
