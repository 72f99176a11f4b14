package sentry

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verdict is what an answer means for an event.
type verdict uint8

const (
	taken   verdict = iota // by the server: it may go
	later                  // keep it, and wait
	refused                // as it is: without attachments, or not at all
)

// answer is how an attempt ended.
type answer struct {
	verdict verdict
	wait    time.Duration // what the server orders, 0 = nothing
	reason  string        // of later and refused
}

// judge reads a response.
func judge(r *http.Response, now time.Time) answer {
	a := answer{verdict: later, wait: ordered(r.Header, now), reason: "the server answered " + strconv.Itoa(r.StatusCode)}
	switch {
	case r.StatusCode >= 200 && r.StatusCode <= 299:
		a.verdict, a.reason = taken, ""
	case r.StatusCode == http.StatusBadRequest, r.StatusCode == http.StatusRequestEntityTooLarge:
		a.verdict, a.wait = refused, 0
	case r.StatusCode == http.StatusTooManyRequests && a.wait == 0:
		a.wait = time.Minute // Sentry's own default
	}
	return a
}

// failed is an attempt that got no answer.
func failed(err error) answer {
	return answer{verdict: later, reason: fmt.Sprint(err)}
}

// ordered gives how long the server wants no more events, at most MaxRetryAfter.
func ordered(h http.Header, now time.Time) time.Duration {
	wait := max(retryAfter(h.Get("Retry-After"), now), rateLimit(h.Values("X-Sentry-Rate-Limits")))
	return min(max(wait, 0), MaxRetryAfter)
}

// retryAfter reads seconds or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if d := seconds(text); d > 0 {
		return d
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now)
	}
	return 0
}

// rateLimit reads X-Sentry-Rate-Limits, "SECONDS:CATEGORY;CATEGORY:SCOPE:REASON, ...", for what concerns errors: no
// category means all.
func rateLimit(headers []string) time.Duration {
	var longest time.Duration
	for _, limit := range strings.Split(strings.Join(headers, ","), ",") {
		parts := strings.Split(strings.TrimSpace(limit), ":")
		if len(parts) < 2 {
			continue
		}
		categories := strings.Split(parts[1], ";")
		if slices.Contains(categories, "") || slices.Contains(categories, "error") {
			longest = max(longest, seconds(parts[0]))
		}
	}
	return longest
}

// seconds reads a number of seconds, rounded up; 0 for what is none.
func seconds(text string) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return time.Duration(min(n, MaxRetryAfter.Seconds()) * float64(time.Second))
}

// backOff gives the wait after a number of failures in a row.
func backOff(failures int) time.Duration {
	wait := FirstBackOff
	for i := 1; i < failures && wait < MaxBackOff; i++ {
		wait *= 2
	}
	return min(wait, MaxBackOff)
}
