package simnet_test

import (
	"syscall"
	"testing"

	"vitrine/core/poller"
)

// These tests hold the kernel and the simulation to the rules that package
// poller states.

const (
	readable = poller.Readable
	writable = poller.Writable
	hangup   = poller.Hangup
)

func TestFirstEdgeIsTheStateAtAdd(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.connect()
		w.write(client, "early")
		w.settle()
		w.try(w.poller.Add(server, 1))
		if got := w.expect(1); got != readable|writable {
			w.Errorf("first edge %v, want readable|writable", got)
		}
		w.quiet()
	})
}

func TestArrivingBytesAreOneEdge(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(client, "abc")
		if got := w.expect(1); got != readable|writable {
			w.Errorf("reported %v, want readable|writable", got)
		}
		w.quiet() // Unread, but not new.
		if got := w.read(server, 2); got != "ab" {
			w.Errorf("read %q, want ab", got)
		}
		w.quiet()
	})
}

func TestShortReadThenNewBytesIsANewEdge(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(client, "abc")
		w.expect(1)
		if got := w.read(server, 64); got != "abc" {
			w.Fatalf("read %q, want abc", got)
		}
		w.write(client, "def") // Without a read that says EAGAIN between.
		if got := w.expect(1); got != readable|writable {
			w.Errorf("reported %v, want readable|writable", got)
		}
		if got := w.read(server, 64); got != "def" {
			w.Errorf("read %q, want def", got)
		}
		w.readFails(server, syscall.EAGAIN)
	})
}

func TestNewBytesBehindUnreadOnesAreANewEdge(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(client, "abc")
		w.expect(1)
		w.write(client, "def")
		w.expect(1)
		if got := w.read(server, 64); got != "abcdef" {
			w.Errorf("read %q, want abcdef", got)
		}
	})
}

func TestEdgeTellsTheStateAtWait(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(client, "abc")
		w.settle()
		w.read(server, 64)
		if got := w.expect(1); got != writable {
			w.Errorf("reported %v, want writable: the bytes are read", got)
		}
	})
}

func TestEndOfStreamFollowsTheBytes(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(client, "abc")
		w.ok(w.poller.Shutdown(client))
		if got := w.until(1, hangup); got != readable|writable|hangup {
			w.Errorf("reported %v, want readable|writable|hangup", got)
		}
		if got := w.read(server, 64); got != "abc" {
			w.Errorf("read %q, want abc", got)
		}
		w.quiet() // The end was reported with the bytes.
		for range 2 {
			if got := w.read(server, 64); got != "" {
				w.Errorf("read %q, want the end of the stream", got)
			}
		}
		w.write(server, "still open")
		w.settle()
		if got := w.read(client, 64); got != "still open" {
			w.Errorf("client read %q", got)
		}
	})
}

func TestEndOfStreamAfterAShortReadIsANewEdge(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(client, "abc")
		w.expect(1)
		w.read(server, 64)
		w.ok(w.poller.Close(client))
		if got := w.expect(1); got != readable|writable|hangup {
			w.Errorf("reported %v, want readable|writable|hangup", got)
		}
		if got := w.read(server, 64); got != "" {
			w.Errorf("read %q, want the end of the stream", got)
		}
	})
}

func TestCloseWithUnreadBytesIsAReset(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(server, "unread")
		w.write(client, "last words")
		w.settle()
		w.ok(w.poller.Close(client))
		if got := w.until(1, hangup); got != readable|writable|hangup {
			w.Errorf("reported %v, want readable|writable|hangup", got)
		}
		if got := w.read(server, 64); got != "last words" {
			w.Errorf("read %q, want what came before the reset", got)
		}
		w.readFails(server, syscall.ECONNRESET)
		if got := w.read(server, 64); got != "" {
			w.Errorf("read %q, want the end of the stream", got)
		}
		w.writeFails(server, syscall.EPIPE)
	})
}

func TestWriteTellsOfAResetOnce(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(server, "unread")
		w.settle()
		w.ok(w.poller.Close(client))
		w.until(1, hangup)
		w.writeFails(server, syscall.ECONNRESET)
		w.writeFails(server, syscall.EPIPE)
		if got := w.read(server, 64); got != "" {
			w.Errorf("read %q, want the end of the stream", got)
		}
	})
}

func TestWriteToAClosedPeerIsAnsweredWithAReset(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.ok(w.poller.Close(client))
		w.until(1, hangup)
		w.write(server, "nobody reads this")
		if got := w.expect(1); got != readable|writable|hangup {
			w.Errorf("reported %v, want readable|writable|hangup", got)
		}
		w.writeFails(server, syscall.EPIPE)
		if got := w.read(server, 64); got != "" {
			w.Errorf("read %q, want the end of the stream", got)
		}
	})
}

func TestRoomAfterAFullBufferIsAnEdge(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		total := w.fill(server)
		w.quiet()
		w.drain(client, total)
		if got := w.expect(1); got != writable {
			w.Errorf("reported %v, want writable", got)
		}
		w.write(server, "on")
		w.quiet()
	})
}

func TestFullBufferIsNotReportedAsWritable(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		total := w.fill(server)
		w.write(client, "x")
		if got := w.expect(1); got != readable {
			w.Errorf("reported %v, want readable", got)
		}
		w.drain(client, total)
		w.until(1, writable)
	})
}

func TestShutdownOfTheOwnSide(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(server, "bye")
		w.ok(w.poller.Shutdown(server))
		if got := w.expect(1); got != writable {
			w.Errorf("reported %v, want writable", got)
		}
		w.writeFails(server, syscall.EPIPE)
		w.settle()
		if got := w.read(client, 64); got != "bye" {
			w.Errorf("peer read %q, want bye", got)
		}
		if got := w.read(client, 64); got != "" {
			w.Errorf("peer read %q, want the end of the stream", got)
		}
		w.write(client, "answer")
		w.until(1, readable)
		if got := w.read(server, 64); got != "answer" {
			w.Errorf("read %q, want answer", got)
		}
	})
}
