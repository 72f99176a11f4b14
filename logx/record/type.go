package record

import (
	"errors"
	"fmt"
	"strconv"
)

// Type is what part of the server a record tells of.
type Type uint8

// The types every log has.
const (
	TypeSystem Type = iota
	TypeNetwork
	TypeSession
	TypeAuth
	TypeGame
	TypeChat
	TypeLAN
	TypeDB
	TypeConfig
	TypeSecurity
	TypeCrash
)

const (
	// FirstCustom is the first type a program names itself. Those between
	// TypeCrash and it are kept for the project.
	FirstCustom Type = 16

	// MaxTypes is how many types there are, custom ones included: a set of
	// types is a uint64.
	MaxTypes = 64

	// MaxTypeName is how many bytes the name of a type may have.
	MaxTypeName = 32
)

// typeNames are the names of the types every log has, by type.
var typeNames = [...]string{"system", "network", "session", "auth", "game", "chat", "lan", "db", "config", "security", "crash"}

// Types holds the names of the types of one log. It never changes, so any goroutine may use it. A nil *Types knows the
// types every log has.
type Types struct {
	custom []string // fixed after NewTypes; custom[i] names FirstCustom+i
}

// NewTypes names the types from FirstCustom on, in order. A name has 1 to MaxTypeName small letters, digits, '_', '-'
// and '.', and is used once; the error names every one that breaks this, or says that there are too many.
func NewTypes(custom ...string) (*Types, error) {
	if room := MaxTypes - int(FirstCustom); len(custom) > room {
		return nil, fmt.Errorf("%d custom log types: at most %d", len(custom), room)
	}
	t := &Types{custom: make([]string, 0, len(custom))}
	var bad []error
	for _, name := range custom {
		if _, taken := t.Parse(name); taken {
			bad = append(bad, fmt.Errorf("log type %q: the name is taken", name))
		} else if !validTypeName(name) {
			bad = append(bad, fmt.Errorf("log type %q: want 1 to %d of a-z 0-9 . _ -", name, MaxTypeName))
		}
		t.custom = append(t.custom, name)
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return t, nil
}

func validTypeName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return len(name) > 0 && len(name) <= MaxTypeName
}

// Name gives the name of a type, "#n" for one that has none.
func (t *Types) Name(typ Type) string {
	if name := t.name(typ); name != "" {
		return name
	}
	return "#" + strconv.Itoa(int(typ))
}

// name is Name, "" for a type that has none.
func (t *Types) name(typ Type) string {
	if int(typ) < len(typeNames) {
		return typeNames[typ]
	}
	if i := int(typ) - int(FirstCustom); t != nil && i >= 0 && i < len(t.custom) {
		return t.custom[i]
	}
	return ""
}

// appendName is Name without an allocation.
func (t *Types) appendName(dst []byte, typ Type) []byte {
	if name := t.name(typ); name != "" {
		return append(dst, name...)
	}
	return strconv.AppendUint(append(dst, '#'), uint64(typ), 10)
}

// Parse finds the type of a name.
func (t *Types) Parse(name string) (Type, bool) {
	for i, n := range typeNames {
		if n == name {
			return Type(i), true
		}
	}
	for i, n := range t.Custom() {
		if n == name {
			return FirstCustom + Type(i), true
		}
	}
	return 0, false
}

// Custom gives the names from FirstCustom on, in order. The caller must not change them.
func (t *Types) Custom() []string {
	if t == nil {
		return nil
	}
	return t.custom
}
