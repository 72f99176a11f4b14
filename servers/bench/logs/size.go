//go:build linux

package logs

import (
	"fmt"
	"strconv"
	"strings"
)

// size is a number of bytes as people write it: 2GB, 200MB, 64KiB, 1000.
type size int64

// sizeUnits are what may stand behind the number.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"", 1}}

// maxSize bounds what is generated.
const maxSize = 100e9

// UnmarshalText reads a size. The error says what a size looks like.
func (s *size) UnmarshalText(text []byte) error {
	for _, unit := range sizeUnits {
		digits, ok := strings.CutSuffix(string(text), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > maxSize/unit.bytes {
			break
		}
		*s = size(n * unit.bytes)
		return nil
	}
	return fmt.Errorf("size %q, want a whole number with KB, MB, GB, KiB, MiB, GiB or nothing, at most 100GB", text)
}
