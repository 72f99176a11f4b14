package bot

import (
	"sync"
	"testing"
	"time"

	"vitrine/core/frame"
)

func TestChatOracleFindsNothingWrongWithARightServer(t *testing.T) {
	t.Parallel()
	for name, codec := range codecs(t) {
		t.Run(name, func(t *testing.T) {
			r := startReference(t, codec.server)
			r.chat = newWorld()
			got := r.play(Config{
				Protocol: Chat, Codec: codec.client, Bots: 20, RampUp: -1,
				Think: time.Millisecond, Depth: 2, Timeout: 10 * time.Second, side: 8,
			}, 2000)
			if !got.OK() || got.Required < 2000 || got.Optional == 0 || got.Lost != 0 {
				t.Errorf("%s", got.JSON())
			}
		})
	}
}

// Bots that leave and come back must not be missed, nor miss anything.
func TestChatOracleFindsNothingWrongWithChurn(t *testing.T) {
	t.Parallel()
	r := startReference(t, frame.Codec{})
	r.chat = newWorld()
	got := r.play(Config{
		Protocol: Chat, Bots: 20, RampUp: -1, Think: time.Millisecond, Churn: 5, Timeout: 10 * time.Second, side: 5,
	}, 4000)
	if !got.OK() || got.CloseReasons["bot_left"] == 0 || got.Required == 0 {
		t.Errorf("%s", got.JSON())
	}
}

func TestEchoOracleFindsNothingWrongWithChurn(t *testing.T) {
	t.Parallel()
	r := startReference(t, frame.Codec{})
	r.greeting = true
	got := r.play(Config{
		Bots: 30, RampUp: -1, Depth: 8, Think: time.Millisecond, Churn: 20, Greeting: true, Timeout: 10 * time.Second,
	}, 10000)
	if !got.OK() || got.CloseReasons["bot_left"] == 0 || got.Sent != got.Received+got.Lost {
		t.Errorf("%s", got.JSON())
	}
}

func TestChatOracleCountsEachFaultInItsColumn(t *testing.T) {
	t.Parallel()
	const at = 100 // the faulty message
	within := func(in bool) int {
		if in {
			return 1
		}
		return 0
	}
	type deliver = func(n int, from, to *peer, in bool, payload []byte) int
	// once makes a fault that happens to the first copy that fits, of the
	// message at or a later one. The receiver must have been placed for
	// certain, for its own oracle too, when the message was sent: it has
	// talked before the sender's previous message, which at depth 1 was
	// answered before this one was sent.
	once := func(fits func(from, to *peer, in bool) bool, times int, change func([]byte)) deliver {
		done := false
		return func(n int, from, to *peer, in bool, payload []byte) int {
			if done || n < at || !fits(from, to, in) || to.first == 0 || from.last <= to.first {
				return within(in)
			}
			done = true
			if change != nil {
				change(payload)
			}
			return times
		}
	}
	near := func(from, to *peer, in bool) bool { return in && from != to }
	self := func(from, to *peer, in bool) bool { return from == to }
	far := func(from, to *peer, in bool) bool { return !in }
	flip := func(i int) func([]byte) {
		return func(b []byte) {
			if i < 0 {
				i += len(b)
			}
			b[i] ^= 1
		}
	}
	tests := []struct {
		name    string
		deliver deliver
		want    columns
	}{
		{"none", nil, columns{}},
		{"drop a copy", once(near, 0, nil), columns{missing: 1}},
		{"drop the sender's copy", once(self, 0, nil), columns{missing: 1}},
		{"deliver twice", once(near, 2, nil), columns{wrong: 1}},
		{"deliver twice to the sender", once(self, 2, nil), columns{wrong: 1}},
		{"deliver outside the 3x3", once(far, 1, nil), columns{wrong: 1}},
		{"flip a byte of the text", once(near, 1, flip(-2)), columns{wrong: 1}},
		{"flip a byte of the nickname", once(near, 1, flip(2+8+nameLen)), columns{wrong: 1}},
		{"another account", once(near, 1, flip(2+6)), columns{wrong: 1, missing: 1}},
		{"another number", once(near, 1, flip(deliveryLen+2*sequenceAt)), columns{wrong: 1, missing: 1}},
		{"another length", once(near, 1, flip(deliveryLen-2)), columns{wrong: 1, missing: 1}},
		{"unknown type", once(near, 1, flip(1)), columns{wrong: 1, missing: 1}},
	}
	var all sync.WaitGroup
	defer all.Wait()
	for _, test := range tests {
		all.Go(func() {
			t.Run(test.name, func(t *testing.T) {
				r := startReference(t, frame.Codec{})
				r.chat = newWorld()
				r.chat.deliver = test.deliver
				got := r.play(Config{
					Protocol: Chat, Bots: 12, RampUp: -1, Rate: 50, Depth: 1, Timeout: 2 * time.Second, side: 5, moveOneIn: -1,
				}, 400)
				if got.columns() != test.want || got.Required == 0 {
					t.Errorf("got %+v, want %+v: %s", got.columns(), test.want, got.JSON())
				}
			})
		})
	}
}
