package main

import (
	"math/rand/v2"
	"slices"
)

// schedule returns rounds permutations of the indexes 0..n-1: the order in
// which each round visits the servers. The same seed gives the same schedule.
func schedule(seed uint64, n, rounds int) [][]int {
	random := rand.New(rand.NewPCG(seed, seed))
	orders := make([][]int, rounds)
	for i := range orders {
		orders[i] = random.Perm(n)
	}
	return orders
}

// ratios divides round by round. Both have one figure per round.
func ratios(over, under []float64) []float64 {
	quotients := make([]float64, min(len(over), len(under)))
	for i := range quotients {
		quotients[i] = over[i] / under[i]
	}
	return quotients
}

// median returns the middle of values, the mean of the middle two, or 0.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
