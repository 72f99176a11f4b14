package ratio

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Schedule returns rounds permutations of the indexes 0..n-1: the order in
// which each round visits what is compared. The same seed gives the same order.
func Schedule(seed uint64, n, rounds int) [][]int {
	random := rand.New(rand.NewPCG(seed, seed))
	orders := make([][]int, rounds)
	for i := range orders {
		orders[i] = random.Perm(n)
	}
	return orders
}

// Of divides round by round. Both have one figure per round.
func Of(over, under []float64) []float64 {
	quotients := make([]float64, min(len(over), len(under)))
	for i := range quotients {
		quotients[i] = over[i] / under[i]
	}
	return quotients
}

// Median returns the middle of values, the mean of the middle two, or 0.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which the q-th part of values lies, between
// two of them where it falls there, and 0 when there are none.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	place := q * float64(len(sorted)-1)
	below := int(place)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (place-float64(below))*(sorted[above]-sorted[below])
}

// Agrees tells whether an A/A ratio is within limit of 1.
func Agrees(control, limit float64) bool { return math.Abs(control-1) <= limit }
