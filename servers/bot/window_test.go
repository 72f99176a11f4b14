package bot

import "testing"

// A step posts a request (post), answers one (its offset from the first),
// or expires all that was sent before a time.
func TestWindowJudgesEachAnswer(t *testing.T) {
	type step struct {
		answer uint64
		want   verdict
	}
	const first = 1<<62 - 3
	tests := []struct {
		name    string
		posts   int
		expire  int64 // after the posts, sent at 0, 1, 2 ...
		steps   []step
		waiting int
	}{
		{"in order", 3, 0, []step{{0, right}, {1, right}, {2, right}}, 0},
		{"a gap waits", 3, 0, []step{{0, right}, {2, right}}, 1},
		{"a gap filled too late", 3, 0, []step{{1, right}, {0, overtaken}, {2, right}}, 0},
		{"twice", 3, 0, []step{{0, right}, {0, twice}, {1, right}}, 1},
		{"not sent yet", 2, 0, []step{{2, stranger}, {1, right}}, 0},
		{"before the first", 2, 0, []step{{^uint64(0), stranger}}, 1},
		{"expired, then it comes", 3, 1, []step{{0, tardy}, {0, twice}, {1, right}}, 1},
		{"all expired", 3, 9, []step{{2, tardy}, {1, tardy}, {0, tardy}, {0, twice}}, 0},
		{"a stranger with nothing sent", 0, 0, []step{{0, stranger}}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWindow(8)
			w.reset(first)
			for i := range test.posts {
				w.post(int64(i))
			}
			w.expire(test.expire)
			for i, step := range test.steps {
				if got, _ := w.answer(first + step.answer); got != step.want {
					t.Errorf("step %d: answer %d is %v, want %v", i, int64(step.answer), got, step.want)
				}
			}
			if w.waiting != test.waiting {
				t.Errorf("waiting = %d, want %d", w.waiting, test.waiting)
			}
		})
	}
}

func TestWindowHasRoomForItsDepthAndNoMoreThanItRemembers(t *testing.T) {
	w := newWindow(10)
	w.reset(0)
	var last uint64
	for w.room() {
		last = w.post(0)
	}
	if w.waiting != 10 {
		t.Fatalf("waiting = %d at the limit, want the depth, 10", w.waiting)
	}
	// The oldest never is answered: the window fills up behind the gap.
	for c := uint64(1); w.waiting > 1 || w.room(); c++ {
		w.answer(c)
		for w.room() {
			last = w.post(0)
		}
	}
	if got := int(last - w.low); got != len(w.shots)-1 {
		t.Errorf("%d sent behind the gap, want %d", got, len(w.shots)-1)
	}
	if n := w.expire(1); n != 1 || !w.room() {
		t.Errorf("expired %d, room %v, want 1 and room", n, w.room())
	}
}

func TestWindowTellsWhenARequestWasSent(t *testing.T) {
	w := newWindow(4)
	w.reset(7)
	w.post(100)
	w.post(200)
	if _, at := w.answer(7); at != 100 {
		t.Errorf("sent at %d, want 100", at)
	}
	if _, at := w.answer(8); at != 200 {
		t.Errorf("sent at %d, want 200", at)
	}
}
