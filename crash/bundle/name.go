package bundle

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// The names in a store. What has none of these forms is not ours and is left alone.
const (
	lockName      = ".lock"
	countsName    = ".admissions.json"
	damagedName   = ".admissions.damaged"
	suffixPartial = ".partial" // NAME.partial: a bundle being written
	suffixGone    = ".gone"    // NAME.gone: one being removed
	prefixBegin   = ".begin-"  // .begin-HEX: one that has no name yet
)

// The names in a bundle, beside those of its files.
const (
	metaName   = "meta.json"
	coreName   = "core.zst"
	textName   = "crash.txt"
	writerName = ".writer" // locked by who writes the bundle
	draftName  = ".draft"  // what is known so far
	suffixPart = ".part"   // FILE.part: may lack its end
)

// maxAgain is how many bundles may differ in nothing but a number at the end.
const maxAgain = 99

// label is what a name says:
//
//	20261122T174443.108Z-PID-CLASS-FP8         time in UTC, first 8 digits of the fingerprint
//	20261122T174443.108Z-PID-CLASS-FP8-2       a second one of the same
type label struct {
	at          time.Time
	pid         int
	class       Class
	fingerprint string // 8 digits
	again       int    // 0, or 2 to maxAgain
}

const stamp = "20060102T150405.000Z"

// makeLabel makes a label of anything: a time that has no such form becomes now.
func makeLabel(class Class, fingerprint string, pid int, at, now time.Time) label {
	at = at.UTC().Truncate(time.Millisecond)
	if at.Year() < 1970 || at.Year() > 9999 {
		at = now.UTC().Truncate(time.Millisecond)
	}
	return label{at: at, pid: max(pid, 0), class: class, fingerprint: short(fingerprint)}
}

// short gives 8 hexadecimal digits for a fingerprint: its own where it has them.
func short(fingerprint string) string {
	const none = "00000000"
	switch {
	case fingerprint == "":
		return none
	case len(fingerprint) >= len(none) && isHex(fingerprint[:len(none)]):
		return fingerprint[:len(none)]
	}
	h := fnv.New32a()
	h.Write([]byte(fingerprint))
	return fmt.Sprintf("%08x", h.Sum32())
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// String gives the name.
func (l label) String() string {
	name := fmt.Sprintf("%s-%d-%s-%s", l.at.Format(stamp), l.pid, l.class, l.fingerprint)
	if l.again > 0 {
		name += "-" + strconv.Itoa(l.again)
	}
	return name
}

// parseLabel reads a name; false when it is not of that form to the letter.
func parseLabel(name string) (label, bool) {
	parts := strings.Split(name, "-")
	if len(name) > 128 || len(parts) < 4 || len(parts) > 5 || len(parts[3]) != 8 || !isHex(parts[3]) {
		return label{}, false
	}
	l := label{class: Class(parts[2]), fingerprint: parts[3]}
	var timeErr, pidErr, againErr error
	l.at, timeErr = time.Parse(stamp, parts[0])
	l.pid, pidErr = strconv.Atoi(parts[1])
	if len(parts) == 5 {
		l.again, againErr = strconv.Atoi(parts[4])
	}
	ok := timeErr == nil && pidErr == nil && againErr == nil && l.class.Known() && l.pid >= 0 &&
		l.again >= 0 && l.again != 1 && l.again <= maxAgain && l.String() == name
	return l, ok
}

// kind names what limits count by: the fingerprint, or the class where there is none.
func kindOf(class Class, fingerprint string) string {
	if fingerprint == "" {
		return string(class)
	}
	if len(fingerprint) > 32 || !isHex(fingerprint) {
		return short(fingerprint)
	}
	return fingerprint
}
