package ratio

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
)

func TestScheduleVisitsEachOncePerRound(t *testing.T) {
	orders := Schedule(1, 5, 50)
	different := make(map[string]bool)
	for _, order := range orders {
		if sorted := slices.Sorted(slices.Values(order)); !reflect.DeepEqual(sorted, []int{0, 1, 2, 3, 4}) {
			t.Fatalf("round visits %v", order)
		}
		different[string(rune('0'+order[0]))] = true
	}
	if len(different) != 5 {
		t.Errorf("only %d servers ever come first", len(different))
	}
	if !reflect.DeepEqual(orders, Schedule(1, 5, 50)) {
		t.Error("the same seed gives another schedule")
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := Median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}

func TestQuantileLiesBetweenValues(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, .25: 2, .3: 2.2, 1: 5} {
		if got := Quantile([]float64{5, 1, 4, 2, 3}, q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestRatiosAreTakenRoundByRound(t *testing.T) {
	// The second round ran on a machine half as fast: its ratio is the same.
	got := Of([]float64{1, 2, 1}, []float64{2, 4, 2})
	if !reflect.DeepEqual(got, []float64{.5, .5, .5}) {
		t.Errorf("ratios %v", got)
	}
}

func TestAgreementIsWithinTheLimit(t *testing.T) {
	for control, want := range map[float64]bool{1.02: true, 0.98: true, 1.021: false, 0.979: false} {
		if got := Agrees(control, 0.02+1e-12); got != want {
			t.Errorf("A/A of %v within 0.02: %v", control, got)
		}
	}
}

func ExampleOf() {
	// The second round ran on a machine half as fast.
	fmt.Println(Median(Of([]float64{1, 2, 1.1}, []float64{2, 4, 2})))
	// Output: 0.5
}
