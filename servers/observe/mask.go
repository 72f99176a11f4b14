package observe

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path"
	"strings"

	"vitrine/logx"
)

// masked stands for a secret, as in the files of the log.
const masked = "***"

// mask returns an attribute without its secrets, by the same list of keys as the log's own handlers: those in groups and in
// values that are written as JSON too. all says that whatever it holds is one.
func mask(a slog.Attr, all bool) slog.Attr {
	a.Value = a.Value.Resolve()
	switch {
	case all || isSecret(a.Key):
		return slog.String(a.Key, masked)
	case a.Value.Kind() == slog.KindGroup:
		var members []any
		for _, member := range a.Value.Group() {
			members = append(members, mask(member, false))
		}
		return slog.Group(a.Key, members...)
	case a.Value.Kind() == slog.KindAny:
		return slog.String(a.Key, anyText(a.Value.Any()))
	}
	return a
}

// anyText is what is sent of a value that has no kind of its own: its error, its text, or its JSON without secrets.
func anyText(v any) (text string) {
	defer func() {
		if recover() != nil { // a method of a nil or a broken value
			text = fmt.Sprintf("a %T that panics", v)
		}
	}()
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	}
	written, err := json.Marshal(v)
	var parts any
	if err == nil {
		err = json.Unmarshal(written, &parts)
	}
	if err == nil {
		written, err = json.Marshal(maskParts(parts))
	}
	if err != nil {
		return fmt.Sprintf("a %T that has no JSON", v)
	}
	return string(written)
}

// maskParts masks the members of JSON objects, in place.
func maskParts(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			if isSecret(key) {
				v[key] = masked
			} else {
				v[key] = maskParts(v[key])
			}
		}
	case []any:
		for i := range v {
			v[i] = maskParts(v[i])
		}
	}
	return v
}

// isSecret tells whether a key is on the list.
func isSecret(key string) bool {
	key = plainKey(key[strings.LastIndexByte(key, '.')+1:])
	for _, pattern := range logx.DefaultMask() {
		if matched, err := path.Match(plainKey(pattern), key); matched && err == nil {
			return true
		}
	}
	return false
}

// plainKey returns a key as the list compares it: in small letters, without - and _. A slash, which path.Match treats as a
// boundary, goes too.
func plainKey(key string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", "/", "").Replace(key))
}
