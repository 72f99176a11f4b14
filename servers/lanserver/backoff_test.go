package lanserver

import (
	"testing"
	"time"
)

func TestBackoffDoublesWithinItsBounds(t *testing.T) {
	cfg := ClientConfig{BackoffMin: 100 * time.Millisecond, BackoffMax: 500 * time.Millisecond, Seed: 3}
	b, same := newBackoff(cfg), newBackoff(cfg)
	for i, most := range []time.Duration{100, 200, 400, 500, 500, 500} {
		most *= time.Millisecond
		got := b.next()
		if got < most/2 || got > most {
			t.Errorf("pause %d is %v, want %v..%v", i, got, most/2, most)
		}
		if again := same.next(); again != got {
			t.Errorf("pause %d is %v and %v with one seed", i, got, again)
		}
	}
	b.lasted(499 * time.Millisecond)
	if got := b.next(); got < 250*time.Millisecond {
		t.Errorf("pause %v after a short connection, want no new start", got)
	}
	b.lasted(500 * time.Millisecond)
	if got := b.next(); got > 100*time.Millisecond {
		t.Errorf("pause %v after a long connection, want a new start", got)
	}
}

func TestBackoffVaries(t *testing.T) {
	seen := map[time.Duration]bool{}
	for seed := range uint64(20) {
		seen[newBackoff(ClientConfig{BackoffMin: time.Second, BackoffMax: time.Second, Seed: seed + 1}).next()] = true
	}
	if len(seen) < 15 {
		t.Errorf("20 seeds gave %d pauses, want them to differ", len(seen))
	}
}

func TestCallIDsSkipThoseInFlight(t *testing.T) {
	conn := &connection{pending: map[uint32]chan answer{}, nextID: ^uint32(0) - 1}
	for i, want := range []uint32{^uint32(0), 0, 1, 2} {
		if id, err := conn.register(make(chan answer, 1), 10); err != nil || id != want {
			t.Errorf("call %d has id %d, %v, want %d", i, id, err, want)
		}
	}
	conn.nextID = ^uint32(0) - 1
	if id, err := conn.register(make(chan answer, 1), 10); err != nil || id != 3 {
		t.Errorf("id %d, %v, want 3, the first that is free", id, err)
	}
	if _, err := conn.register(make(chan answer, 1), 5); err != ErrTooManyCalls {
		t.Errorf("got %v, want ErrTooManyCalls", err)
	}
	if n := conn.end(); n != 5 {
		t.Errorf("%d calls failed, want 5", n)
	}
	if _, err := conn.register(make(chan answer, 1), 10); err != ErrNotConnected {
		t.Errorf("got %v, want ErrNotConnected", err)
	}
}

func TestErrorTextIsCutBetweenCharacters(t *testing.T) {
	long := make([]byte, 0, 2*ErrorTextLimit)
	for len(long) < ErrorTextLimit+100 {
		long = append(long, "é€"...)
	}
	for in, want := range map[string]int{"": len(noText), "short": 5, string(long): ErrorTextLimit - ErrorTextLimit%5} {
		got := errorText(in)
		if len(got) != want && !(len(got) <= ErrorTextLimit && len(got) > ErrorTextLimit-4 && len(in) > ErrorTextLimit) {
			t.Errorf("%d bytes become %d, want %d", len(in), len(got), want)
		}
		for _, r := range got {
			if r == '\uFFFD' {
				t.Fatalf("cut within a character: %q", got[len(got)-4:])
			}
		}
	}
}
