package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size in bytes. As text it is a whole number and a unit: B, KiB, MiB, GiB, TiB are powers of 1024,
// kB, MB, GB, TB powers of 1000; a number alone is bytes. It is never negative when it was read from text.
type Bytes int64

var errBytes = errors.New("not a byte size")

// byteUnits lists the units, the binary ones from large to small first so that String picks the largest that divides.
var byteUnits = [...]struct {
	name string
	size Bytes
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
}

// binaryUnits is how many of byteUnits String uses.
const binaryUnits = 4

// ParseBytes reads a size such as "64KiB"; spaces around the number are allowed. A size over 8 EiB - 1 is an error.
func ParseBytes(text string) (Bytes, error) {
	number, size := strings.TrimSpace(text), Bytes(1)
	for _, u := range byteUnits {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, size = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || n > uint64(math.MaxInt64/size) {
		return 0, errBytes
	}
	return Bytes(n) * size, nil
}

// String gives the size in the largest binary unit that divides it: 65536 is "64KiB", 1000 is "1000B".
func (b Bytes) String() string {
	for _, u := range byteUnits[:binaryUnits] {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

// MarshalText gives the text of String.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the text as ParseBytes does and leaves b alone on an error.
func (b *Bytes) UnmarshalText(text []byte) error {
	n, err := ParseBytes(string(text))
	if err == nil {
		*b = n
	}
	return err
}
