package ringbuf

// Buffer is a byte ring over storage that the caller lends.
//
// The zero Buffer has no storage: its capacity is 0 and Write takes nothing.
// It belongs to one goroutine; no method blocks or allocates. Views returned by
// Peek and Segments are valid until the next call that changes the buffer.
//
//	| storage []byte 24 | read int 8 | size int 8 |     40 bytes on 64-bit
type Buffer struct {
	storage []byte // lent; owned by the buffer between Attach and Detach
	read    int    // offset of the first unread byte
	size    int    // unread bytes
}

// Attach lends storage to a buffer that has none. The capacity is
// len(storage). The storage belongs to the buffer until Detach or Move returns
// it. Attach panics when the buffer already has storage, since that would be
// lost.
func (b *Buffer) Attach(storage []byte) {
	if b.storage != nil {
		panic("ringbuf: Attach to a buffer that has storage")
	}
	b.storage = storage[:len(storage):len(storage)]
}

// Detach takes the storage back and leaves the zero Buffer; it returns nil when
// there is none. What was unread is lost: detach when Len is 0 or when the
// content no longer matters, and use Move to keep it.
func (b *Buffer) Detach() []byte {
	old := b.storage
	*b = Buffer{}
	scribble(old)
	return old
}

// Attached reports whether the buffer has storage.
func (b *Buffer) Attached() bool { return b.storage != nil }

// Len returns the number of unread bytes.
func (b *Buffer) Len() int { return b.size }

// Cap returns the most bytes the buffer can hold, 0 without storage.
func (b *Buffer) Cap() int { return len(b.storage) }

// Room returns how many bytes Write would take now.
func (b *Buffer) Room() int { return len(b.storage) - b.size }

// Write copies the prefix of p that fits behind the content and returns its
// length, which is less than len(p) only when the buffer is full afterwards.
// p must not overlap the storage.
func (b *Buffer) Write(p []byte) int {
	if room := b.Room(); len(p) > room {
		p = p[:room]
	}
	end := b.read + b.size
	if end >= len(b.storage) {
		end -= len(b.storage)
	}
	n := copy(b.storage[end:], p)
	copy(b.storage, p[n:])
	b.size += len(p)
	b.check()
	return len(p)
}

// Peek returns the first n unread bytes in one piece without consuming them,
// or nil when fewer than n are unread. It is a view of the storage when they do
// not wrap, otherwise a copy in scratch; either way its capacity is n. scratch
// must be at least n bytes long, wrapped or not, and must not overlap the
// storage; Peek panics when it is shorter or n is negative.
func (b *Buffer) Peek(n int, scratch []byte) []byte {
	if n > b.size {
		return nil
	}
	if n < 0 || n > len(scratch) {
		panic("ringbuf: Peek of a negative count or with too little scratch")
	}
	if end := b.read + n; end <= len(b.storage) {
		return b.storage[b.read:end:end]
	}
	k := copy(scratch, b.storage[b.read:])
	copy(scratch[k:n], b.storage)
	return scratch[:n:n]
}

// Segments returns the content as at most two views in reading order, ready for
// writev. The second is empty unless the content wraps, and both are empty when
// nothing is unread.
func (b *Buffer) Segments() (first, second []byte) {
	end := b.read + b.size
	if end <= len(b.storage) {
		return b.storage[b.read:end:end], nil
	}
	end -= len(b.storage)
	return b.storage[b.read:], b.storage[:end:end]
}

// Discard consumes the first n unread bytes. It panics unless 0 <= n <= Len.
// A buffer that becomes empty starts again at offset 0.
func (b *Buffer) Discard(n int) {
	if uint(n) > uint(b.size) {
		panic("ringbuf: Discard of more than is unread")
	}
	b.scribbleFront(n)
	b.read += n
	b.size -= n
	switch {
	case b.size == 0:
		b.read = 0
	case b.read >= len(b.storage):
		b.read -= len(b.storage)
	}
	b.check()
}

// Move copies the content in one piece to the front of other storage, larger or
// smaller, and returns the old storage, nil when there was none. It panics when
// the content does not fit. The two must not overlap.
func (b *Buffer) Move(storage []byte) []byte {
	if len(storage) < b.size {
		panic("ringbuf: Move to storage smaller than the content")
	}
	first, second := b.Segments()
	copy(storage[copy(storage, first):], second)
	old := b.storage
	b.storage, b.read = storage[:len(storage):len(storage)], 0
	scribble(old)
	b.check()
	return old
}
