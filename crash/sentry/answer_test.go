package sentry

import (
	"net/http"
	"testing"
	"time"
)

func TestAnswers(t *testing.T) {
	now := time.Date(2026, 11, 22, 17, 44, 43, 0, time.UTC)
	for _, c := range []struct {
		status     int
		retryAfter string
		limits     string
		verdict    verdict
		wait       time.Duration
	}{
		{status: 200, verdict: taken}, {status: 202, verdict: taken},
		{status: 200, limits: "60:error:key", verdict: taken, wait: time.Minute},
		{status: 400, verdict: refused}, {status: 413, verdict: refused}, {status: 413, retryAfter: "5", verdict: refused},
		{status: 301, verdict: later}, {status: 401, verdict: later}, {status: 403, verdict: later}, {status: 404, verdict: later}, {status: 408, verdict: later},
		{status: 429, verdict: later, wait: time.Minute},
		{status: 429, retryAfter: "7", verdict: later, wait: 7 * time.Second}, {status: 429, retryAfter: "0.5", verdict: later, wait: time.Second / 2},
		{status: 429, retryAfter: "Sun, 22 Nov 2026 18:44:43 GMT", verdict: later, wait: time.Hour},
		{status: 503, retryAfter: "Sun, 22 Nov 2026 16:44:43 GMT", verdict: later},
		{status: 503, retryAfter: "1e300", verdict: later, wait: MaxRetryAfter}, {status: 503, retryAfter: "-3", verdict: later},
		{status: 503, retryAfter: "NaN", verdict: later}, {status: 503, retryAfter: "x", verdict: later},
		{status: 429, limits: "10:transaction:org, 20::org", verdict: later, wait: 20 * time.Second},
		{status: 429, limits: "10:transaction;error:org", retryAfter: "3", verdict: later, wait: 10 * time.Second},
		{status: 429, limits: "garbage, :, 9:attachment:", verdict: later, wait: time.Minute},
		{status: 500, verdict: later},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.retryAfter)
		h.Set("X-Sentry-Rate-Limits", c.limits)
		a := judge(&http.Response{StatusCode: c.status, Header: h}, now)
		if a.verdict != c.verdict || a.wait != c.wait || (a.reason == "") != (c.verdict == taken) {
			t.Errorf("%+v: %+v", c, a)
		}
	}
}

func TestBackOffGrowsToItsLimit(t *testing.T) {
	for n, want := range map[int]time.Duration{0: FirstBackOff, 1: FirstBackOff, 2: 2 * FirstBackOff, 4: 8 * FirstBackOff, 9: 2560 * time.Second, 10: MaxBackOff, 1 << 40: MaxBackOff} {
		if got := backOff(n); got != want {
			t.Errorf("after %d failures: %v, want %v", n, got, want)
		}
	}
}
