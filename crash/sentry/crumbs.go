package sentry

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	sentrygo "github.com/getsentry/sentry-go"
)

// maxCrumbBytes is the length of a breadcrumb's text.
const maxCrumbBytes = 512

// logLine is a line of a text log: [session] [2026-11-22T22:44:10.123456Z / WARN / 4711] what it says.
var logLine = regexp.MustCompile(`^\[([a-z]{1,32})\] \[(\S{1,40}) / ([A-Z]{1,8}) / \d+\] (.*)`)

// crumbLevels are the levels of the log in Sentry's words.
var crumbLevels = map[string]sentrygo.Level{
	"DEBUG": sentrygo.LevelDebug, "INFO": sentrygo.LevelInfo, "WARN": sentrygo.LevelWarning,
	"ERROR": sentrygo.LevelError, "SYSTEM": sentrygo.LevelInfo,
}

// breadcrumbs turns the last lines of a log into breadcrumbs, in their order.
func (x *cleaner) breadcrumbs(lines []string) []*sentrygo.Breadcrumb {
	lines = slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.TrimSpace(line) == "" })
	var all []*sentrygo.Breadcrumb
	for _, line := range lines[max(0, len(lines)-MaxCrumbs):] {
		all = append(all, x.breadcrumb(strings.TrimSpace(line)))
	}
	return all
}

func (x *cleaner) breadcrumb(line string) *sentrygo.Breadcrumb {
	if strings.HasPrefix(line, "{") {
		if b := x.jsonCrumb(line); b != nil {
			return b
		}
	}
	b := &sentrygo.Breadcrumb{Category: "log", Level: sentrygo.LevelInfo}
	if f := logLine.FindStringSubmatch(line); f != nil {
		b.Category, line = f[1], f[4]
		b.Level = or(crumbLevels[f[3]], b.Level)
		b.Timestamp, _ = time.Parse(time.RFC3339Nano, f[2])
	}
	b.Message = x.text(line, maxCrumbBytes)
	return b
}

// jsonCrumb reads a line of a JSON log, nil when it is none.
func (x *cleaner) jsonCrumb(line string) *sentrygo.Breadcrumb {
	clean, err := x.json([]byte(line))
	var f struct {
		Time  time.Time `json:"time"`
		Level string    `json:"level"`
		Type  string    `json:"type"`
	}
	if err != nil || json.Unmarshal(clean, &f) != nil {
		return nil
	}
	return &sentrygo.Breadcrumb{
		Category: or(f.Type, "log"), Timestamp: f.Time, Message: x.text(string(clean), maxCrumbBytes),
		Level: or(crumbLevels[strings.ToUpper(f.Level)], sentrygo.LevelInfo),
	}
}
