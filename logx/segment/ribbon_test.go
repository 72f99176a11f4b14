package segment

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// rowsOf makes the rows of n sessions, ascending.
func rowsOf(random *rand.Rand, n int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = newRow(random.Uint64())
	}
	slices.SortFunc(rows, byHash)
	return rows
}

func byHash(a, b row) int {
	if a.hash < b.hash {
		return -1
	}
	return min(int(a.hash-b.hash), 1)
}

// Whatever the number of sessions and of solutions kept: nobody is forgotten, and strangers pass as seldom as the number of
// solutions promises.
func TestRibbonKnowsItsOwnAndFewOthers(t *testing.T) {
	random := rand.New(rand.NewPCG(20, 21))
	var x ribbon
	for _, n := range []int{0, 1, 2, 40, 52, 53, 64, 100, 116, 117, 300, 655, 1024, 1821, maxRibbonKeys} {
		for _, solutions := range []int{1, 3, maxSolutions} {
			rows, strangers := rowsOf(random, n), rowsOf(random, 20_000)
			if !x.solve(rows, solutions) {
				t.Fatalf("%d rows: no filter", n)
			}
			b := x.appendFilter(nil, nil, solutions)
			if want := (x.columns*solutions + 7) / 8; len(b) != want {
				t.Errorf("%d rows: %d bytes, want %d", n, len(b), want)
			}
			b = append(b, make([]byte, ribbonSlack)...)
			for i := range rows {
				if !rows[i].passes(b, x.columns, solutions) {
					t.Fatalf("%d rows: one is forgotten", n)
				}
			}
			rate := passing(b, strangers, x.columns, solutions)
			if most := 1.15/float64(int(1)<<solutions) + 0.0015; rate > most {
				t.Errorf("%d rows, %d solutions: %.4f of strangers pass, want %.4f", n, solutions, rate, most)
			}
			if x.columns > n+ribbonSpare+4*ribbonMore {
				t.Errorf("%d rows take %d columns", n, x.columns)
			}
		}
	}
}

func passing(b []byte, strangers []row, columns, solutions int) float64 {
	n := 0
	for i := range strangers {
		if strangers[i].passes(b, columns, solutions) {
			n++
		}
	}
	return float64(n) / float64(len(strangers))
}

// Of those who vote fewer pass than of strangers.
func TestVotersPassSeldom(t *testing.T) {
	random := rand.New(rand.NewPCG(22, 23))
	var x ribbon
	for solutions, most := range map[int]float64{3: 0.110, 4: 0.050} {
		var rate float64
		const filters = 20
		for range filters {
			rows, voters := rowsOf(random, 655), rowsOf(random, 5185)
			if !x.solve(rows, solutions) {
				t.Fatal("no filter")
			}
			b := append(x.appendFilter(nil, voters, solutions), make([]byte, ribbonSlack)...)
			rate += passing(b, voters, x.columns, solutions) / filters
		}
		t.Logf("%d solutions: %.4f of the voters pass", solutions, rate)
		if rate > most {
			t.Errorf("%d solutions: %.4f of the voters pass, want %.3f", solutions, rate, most)
		}
	}
}

func TestTooManyRowsHaveNoFilter(t *testing.T) {
	var x ribbon
	if x.solve(make([]row, maxRibbonKeys+1), 1) {
		t.Error("there is one")
	}
}

func BenchmarkRibbon(b *testing.B) {
	random := rand.New(rand.NewPCG(24, 25))
	rows, voters := rowsOf(random, 655), rowsOf(random, 5840)
	var x ribbon
	var out []byte
	b.Run("solve", func(b *testing.B) {
		for b.Loop() {
			x.solve(rows, 3)
		}
	})
	b.Run("vote", func(b *testing.B) {
		for b.Loop() {
			out = x.appendFilter(out[:0], voters, 3)
		}
	})
	out = append(out, make([]byte, ribbonSlack)...)
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			voters[7].passes(out, x.columns, 3)
		}
	})
}
