package blackbox

import "unicode/utf8"

// Note keeps a line, cut at MaxNote bytes, until MaxNotes newer ones have come.
// Lines that were cut are counted.
func (b *Box) Note(line string) {
	if b == nil || !b.owner {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(line) > MaxNote {
		b.image.live.notesCut.Add(1)
		line = cut(line, MaxNote)
	}
	s := b.takeNote()
	s.text.put(b.note, s.body[:copy(s.body[:], line)])
}

// takeNote takes the oldest note out, for the next to be written. b.mu is held.
func (b *Box) takeNote() *noteSlot {
	b.note++
	s := &b.image.notes[b.note%MaxNotes]
	s.text.take()
	return s
}

// cut returns the first max bytes of s, or up to 3 less where a character would
// be cut in two.
func cut(s string, max int) string {
	for range utf8.UTFMax - 1 {
		if utf8.RuneStart(s[max]) {
			break
		}
		max--
	}
	return s[:max]
}

// Metrics keeps text, the metrics as they stand now, in place of the earlier
// ones: a reader finds the new text or the one before it, whole. It is cut at
// MaxMetrics bytes, and what was cut is marked and counted.
func (b *Box) Metrics(text []byte) {
	if b == nil || !b.owner {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.takeHalf()
	h.cut.Store(0)
	if len(text) > MaxMetrics {
		b.image.live.metricsCut.Add(1)
		h.cut.Store(1)
	}
	h.text.put(b.metric, h.body[:copy(h.body[:], text)])
}

// takeHalf takes the older half out, for the next metrics to be written. b.mu
// is held.
func (b *Box) takeHalf() *half {
	b.metric++
	h := &b.image.metrics[b.metric%2]
	h.text.take()
	return h
}
