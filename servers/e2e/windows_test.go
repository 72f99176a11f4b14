//go:build linux

package e2e

import (
	"slices"
	"testing"
	"time"

	"vitrine/servers/bot"
)

// compare measures a quiet and a busy window in turns and returns the ratio of the medians, busy to quiet. What the
// machine does meanwhile falls on both kinds alike.
func compare(t *testing.T, what string, quiet, busy func() float64) (ratio float64) {
	t.Helper()
	var without, with []float64
	for range *windowPairs {
		without = append(without, quiet())
		with = append(with, busy())
	}
	ratio = median(with) / median(without)
	t.Logf("%s: p50 of %d windows each, us: quiet %.0f, busy %.0f; medians %.0f and %.0f, ratio %.2f",
		what, *windowPairs, without, with, median(without), median(with), ratio)
	if *largestRatio > 0 && ratio > *largestRatio {
		t.Errorf("%s: ratio of the medians is %.2f, want at most %.2f", what, ratio, *largestRatio)
	}
	return ratio
}

// median is the middle one, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// window plays for a while and returns the median round trip in microseconds. Bots must find no fault.
func window(t *testing.T, name string, cfg bot.Config) float64 {
	t.Helper()
	cfg.For, cfg.Timeout, cfg.Drain = *playFor, patience, patience
	report, err := bot.Run(t.Context(), cfg)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	checkReport(t, name, report)
	return report.RTTp50
}

func TestMedianIsTheMiddle(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 100, 2}, 3}} {
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v: got %v, want %v", test.values, got, test.want)
		}
	}
}

// progress reports the progress of a long run now and then.
func progress(t *testing.T, every time.Duration) func(bot.Report) {
	last := time.Now()
	return func(r bot.Report) {
		if time.Since(last) >= every {
			last = time.Now()
			t.Log(r.String())
		}
	}
}
