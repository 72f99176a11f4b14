package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"vitrine/core/config"
)

// limitRow is a row of a table of limits in FORMAT.md: its key and its default.
var limitRow = regexp.MustCompile("(?m)^\\| [^|]+ \\| `(\\w+)` \\| ([^|]+) \\|")

// FORMAT.md names each limit of [crash] with the default that it has, and README.md names those that are for an operator.
func TestDocumentsNameTheLimitsOfCrashes(t *testing.T) {
	format, err := os.ReadFile("../../crash/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	inTempDir(t)
	_, effective, err := new(configFlags).load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]config.Setting{}
	for _, s := range effective.Settings() {
		if key, ours := strings.CutPrefix(s.Key, "crash."); ours {
			defaults[key] = s
		}
	}
	named := map[string]bool{}
	for _, row := range limitRow.FindAllStringSubmatch(string(format), -1) {
		key, says := row[1], strings.NewReplacer(" ", "", "%", "").Replace(row[2])
		named[key] = true
		if is := strings.Trim(defaults[key].Value, `"`); !sameDefault(is, says) {
			t.Errorf("FORMAT.md says %s of %s, which is %q", says, key, is)
		}
	}
	for key := range defaults {
		limit := regexp.MustCompile("^keep_|_bytes$|_every$|_per_hour$|^loop_|_percent$").MatchString(key)
		if limit && !named[key] {
			t.Errorf("FORMAT.md does not name %s", key)
		}
		if limit && !strings.Contains(string(readme), "`"+key+"`") {
			t.Errorf("README.md does not name %s", key)
		}
	}
}

// sameDefault tells whether a document says the value, whose times are written out in full and whose sizes may have another unit.
func sameDefault(value, says string) bool {
	var is, said config.Bytes
	if is.UnmarshalText([]byte(value)) == nil && said.UnmarshalText([]byte(says)) == nil {
		return is == said
	}
	return value == says || strings.HasSuffix(value, "0s") && strings.TrimSuffix(strings.TrimSuffix(value, "0s"), "0m") == says
}
