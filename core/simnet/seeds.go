package simnet

import "fmt"

// T is what Seeds needs of *testing.T.
type T[S any] interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Run(name string, run func(S)) bool
}

// Seeds runs a subtest for each seed from 0 to n-1 and stops at the first
// that fails, saying how to run that one again.
func Seeds[S T[S]](t S, n uint64, run func(t S, seed uint64)) {
	t.Helper()
	for seed := range n {
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t S) { run(t, seed) }) {
			t.Logf("seed %d fails; run it again with -run '^%s$/^seed=%d$'", seed, t.Name(), seed)
			return
		}
	}
}
