package lockfree

import "testing"

// TestPopIsNotDeceivedByAnIndexThatCameBack plays the ABA through by hand:
//
//	the stack holds      one goroutine            another
//	0 1 2                Pop reads head 0, link 1
//	2                                             Pop = 0, Pop = 1
//	0 2                                           Push(0)
//	                     Pop swaps 0 for 1
//
// Without a tag the swap succeeds and the stack then offers 1, which the
// other goroutine owns.
func TestPopIsNotDeceivedByAnIndexThatCameBack(t *testing.T) {
	for _, test := range []struct {
		name     string
		variant  string
		wantOnce bool
	}{
		{"tagged", "", true},
		{"untagged", "Untagged", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := stackVariants()[test.variant](3)
			s.PushN([]uint32{0, 1, 2})
			first, other := popAround(s)
			if first != 0 || other != 1 {
				t.Fatalf("the goroutines got %d and %d, want 0 and 1", first, other)
			}
			again, _ := s.Pop()
			if once := again != other; once != test.wantOnce {
				t.Fatalf("index %d has one owner: %v, want %v", other, once, test.wantOnce)
			}
		})
	}
}

// popAround pops once and, in the window of that Pop, pops two and pushes
// the first of them back. It returns what the outer Pop and the second of
// the inner ones gave.
func popAround(s freeList) (first, other uint32) {
	done := false
	defer hook(func(w window) {
		if done || w != beforeSwap {
			return
		}
		done = true
		top, _ := s.Pop()
		other, _ = s.Pop()
		s.Push(top)
	})()
	first, _ = s.Pop()
	return first, other
}
