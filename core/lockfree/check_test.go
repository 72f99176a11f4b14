package lockfree

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var histories = flag.Int("histories", 1500, "histories of the correct code to check, per structure")

// A check takes one history of a structure and judges it.
type check[S any] func(s S, seed uint64, run runner) error

const (
	checkCapacityStack = 4
	checkCapacityQueue = 4
	checkOps           = 6 // per client
)

func checkStack(s freeList, seed uint64, run runner) error {
	h, err := stackHistory(s, checkCapacityStack, 3, checkOps, seed, run)
	if err != nil {
		return err
	}
	return judge(stackModel(checkCapacityStack), h)
}

func checkQueue(who roles, p promise) check[queue] {
	return func(q queue, seed uint64, run runner) error {
		h, err := queueHistory(q, who, checkOps, seed, run)
		if err != nil {
			return err
		}
		p.forgive(h.ops)
		return judge(queueModel(checkCapacityQueue), h)
	}
}

// judge asks whether the operations can be put in an order that respects
// time and that the model would follow.
func judge(model porcupine.Model, h *history) error {
	if porcupine.CheckOperations(model, h.ops) {
		return nil
	}
	text := ""
	for _, op := range h.ops {
		text += fmt.Sprintf("\n%4d..%-4d %s", op.Call, op.Return, model.DescribeOperation(op.Input, op.Output))
	}
	return fmt.Errorf("no order of these operations is legal:%s", text)
}

var (
	checkMPMC = checkQueue(roles{both: 3}, promise{})
	checkMPSC = checkQueue(roles{producers: 2, consumers: 1}, promise{exactFull: true})
	checkSPSC = checkQueue(roles{producers: 1, consumers: 1}, promise{exactFull: true, exactEmpty: true})
)

func TestStackAgreesWithItsModel(t *testing.T) {
	testCorrect(t, func() freeList { return NewStack(checkCapacityStack) }, stackVariants(), checkStack)
}

func TestMPMCAgreesWithItsModel(t *testing.T) {
	testCorrect(t, func() queue { return NewMPMC[int](checkCapacityQueue) }, mpmcVariants(), checkMPMC)
}

func TestMPSCAgreesWithItsModel(t *testing.T) {
	testCorrect(t, func() queue { return NewMPSC[int](checkCapacityQueue) }, mpscVariants(), checkMPSC)
}

func TestSPSCAgreesWithItsModel(t *testing.T) {
	testCorrect(t, func() queue { return NewSPSC[int](checkCapacityQueue) }, spscVariants(), checkSPSC)
}

// testCorrect checks the copy with yields in scheduled and in parallel
// histories, and the package's own code in parallel ones.
func testCorrect[S any](t *testing.T, plain func() S, variants map[string]func(int) S, check check[S]) {
	yielding := func() S { return variants[""](checkCapacityQueue) }
	for _, test := range []struct {
		name  string
		make  func() S
		run   runner
		count int
	}{
		{"scheduled", yielding, interleave, *histories},
		{"parallel", yielding, parallel, *histories / 2},
		{"plain", plain, parallel, *histories / 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			for seed := range uint64(test.count) {
				if err := check(test.make(), seed, test.run); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

func TestCheckerKillsEveryStackMutant(t *testing.T) {
	testMutants(t, stackMutants(), stackVariants(), checkStack)
}

func TestCheckerKillsEveryMPMCMutant(t *testing.T) {
	testMutants(t, mpmcMutants(), mpmcVariants(), checkMPMC)
}

func TestCheckerKillsEveryMPSCMutant(t *testing.T) {
	testMutants(t, mpscMutants(), mpscVariants(), checkMPSC)
}

func TestCheckerKillsEverySPSCMutant(t *testing.T) {
	testMutants(t, spscMutants(), spscVariants(), checkSPSC)
}

// testMutants demands that the scheduled histories, which the correct code
// passes, show each mutant's mistake within 2 s.
func testMutants[S any](t *testing.T, mutants []mutant, variants map[string]func(int) S, check check[S]) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			start := time.Now()
			for seed := uint64(0); ; seed++ {
				if err := check(variants[m.name](checkCapacityQueue), seed, interleave); err != nil {
					t.Logf("killed by history %d after %v: %v", seed, time.Since(start), err)
					return
				}
				if time.Since(start) > 2*time.Second {
					t.Fatalf("alive after %d histories", seed+1)
				}
			}
		})
	}
}
