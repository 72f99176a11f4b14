package segment

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Recovery is what OpenWriter found and mended.
type Recovery struct {
	Next     uint64   // the index that follows in the files; 1 in an empty directory
	Behind   uint64   // above Next: those before it were given out and are lost, if no ring has Next. Skip to it. 0 = none
	CutBytes int64    // taken off the end of the last segment: a torn record, or a damaged one and what follows it
	Aside    string   // path of the file that keeps damaged bytes, the last one if there are several
	Rebuilt  []string // names of the index and postings files that were missing, short or wrong
	Removed  []string // names of the files that were left over: temporary ones, both forms of one segment, index without data
	Scanned  int64    // bytes of data that were read and checked
	Damaged  []Damage // what the death of a process does not explain, at most MaxDamages; empty as a rule
	More     int      // damage beyond those
}

// recovery brings a directory in order before it is written to. The steps, each of which may have been cut short by the
// end of an earlier process:
//
//	*.tmp                     removed: a compression that did not come to its end
//	.idx, .warn without .log  before the first segment removed: a removal that did not; elsewhere kept aside
//	.log beside .log.zst      the .zst counts if it is whole, else the .log; the other is removed
//	last segment, sealed      index and postings are compared with the footer's checksums
//	last segment, not sealed  see mender
type recovery struct {
	config *Config
	store  uint64
	found  Recovery
	goesOn *live // the last segment, when it is not sealed; else nil
	ends   bool  // goesOn was damaged: it is to be sealed
}

func (r *recovery) run() error {
	segments, err := r.tidy()
	if err != nil {
		return err
	}
	defer r.settle()
	r.found.Next = 1
	for i := len(segments) - 1; i >= 0; i-- {
		base := segments[i].base
		there, err := r.last(&segments[i])
		if err != nil {
			return fmt.Errorf("recover segment %d: %w", base, err)
		}
		if there {
			return r.reachAside(&segments[i])
		}
		r.found.Next = max(r.found.Next, base) // nothing is in it: the one before counts, if there is one
		r.reach(base)
	}
	return nil
}

// settle forgets that indexes were given out which the files have.
func (r *recovery) settle() {
	if r.found.Behind <= r.found.Next {
		r.found.Behind = 0
	}
}

// tidy removes what is left over and returns the segments, also those of which there is only what was set aside.
func (r *recovery) tidy() ([]stored, error) {
	all, temporary, err := list(r.config)
	if err != nil {
		return nil, err
	}
	for _, name := range temporary {
		if err := r.remove(name); err != nil {
			return nil, err
		}
	}
	var segments []stored
	for i := range all {
		s := &all[i]
		if s.orphaned() {
			err = r.orphans(s, len(segments) == 0 && slices.ContainsFunc(all[i+1:], func(s stored) bool { return s.data() }))
		} else if s.plain && s.zipped {
			err = r.oneForm(s)
		}
		if err != nil {
			return nil, err
		}
		if !s.leftover() {
			segments = append(segments, *s)
		}
	}
	return segments, nil
}

// orphans removes index and postings that a removal has left, which begins with the oldest. Others are all that is left of a
// segment: they are kept.
func (r *recovery) orphans(s *stored, oldest bool) error {
	switch {
	case !oldest:
		s.aside = true
		return r.keepOrphans(s)
	case s.leftover():
		return r.removeAll(s)
	}
	return nil
}

func (r *recovery) remove(name string) error {
	err := r.config.FS.Remove(filepath.Join(r.config.Dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		r.found.Removed = append(r.found.Removed, name)
	}
	return err
}

func (r *recovery) removeAll(s *stored) error {
	for _, name := range s.names {
		if err := r.remove(name); err != nil {
			return err
		}
	}
	return nil
}

// oneForm keeps the compressed form of a segment if it has all of the other.
func (r *recovery) oneForm(s *stored) error {
	info, err := r.config.FS.Stat(r.config.path(s.base, suffixLog))
	if err != nil {
		return err
	}
	foot, err := r.zippedFooter(s.base)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	if err == nil && int64(foot.offset)+FooterBytes == info.Size() {
		s.plain = false
		return r.remove(fileName(s.base, suffixLog))
	}
	s.zipped = false
	return r.remove(fileName(s.base, suffixZstd))
}

// zippedFooter reads header and footer of a compressed segment.
func (r *recovery) zippedFooter(base uint64) (footer, error) {
	file, err := r.config.FS.OpenFile(r.config.path(base, suffixZstd), os.O_RDONLY, 0)
	if err != nil {
		return footer{}, err
	}
	defer file.Close()
	z, err := newZipped(file, &inflaters{})
	if err != nil {
		return footer{}, err
	}
	head, err := z.head()
	if err != nil {
		return footer{}, err
	}
	if _, err := r.checkHeader(head, base); err != nil {
		return footer{}, err
	}
	b, at, err := z.foot()
	if err != nil {
		return footer{}, err
	}
	foot, ok := parseFooter(b, at)
	if !ok || foot.last+1-base != foot.count {
		return footer{}, fmt.Errorf("%w footer", ErrCorrupt)
	}
	return foot, nil
}

// zippedEnd is the index after a compressed segment, by its footer, or by its index when it is damaged.
func (r *recovery) zippedEnd(base uint64) (uint64, error) {
	foot, err := r.zippedFooter(base)
	if !errors.Is(err, ErrCorrupt) {
		return foot.last + 1, err
	}
	end, ok := r.indexEnd(base)
	if !ok {
		return 0, err
	}
	r.damaged(Damage{File: fileName(base, suffixZstd), Err: err})
	return end, nil
}

// indexEnd is the index after the last record of a sealed segment by its block index, of either form.
func (r *recovery) indexEnd(base uint64) (uint64, bool) {
	b, err := readWhole(r.config.FS, r.config.path(base, suffixIndex), maxPackedBytes)
	if err != nil {
		return 0, false
	}
	x, err := newBlockIndex(bytes.NewReader(b), int64(len(b)), &header{store: r.store, base: base})
	if err != nil || x.n == 0 {
		return 0, false
	}
	if x.packed != nil {
		return x.packed.last().First, true
	}
	last, err := x.block(x.n - 1)
	return last.End(), err == nil && last.First >= base
}

// checkHeader parses a header that must be that of a segment of this directory.
func (r *recovery) checkHeader(b []byte, base uint64) (header, error) {
	h, err := parseHeader(b)
	if err != nil {
		return h, err
	}
	if h.store != r.store {
		return h, fmt.Errorf("%w: store %016x, not %016x", ErrForeign, h.store, r.store)
	}
	if h.base != base {
		return h, fmt.Errorf("%w header: base %d", ErrCorrupt, h.base)
	}
	return h, nil
}

// last brings the last segment in order. It is false when the segment has no records and was removed.
func (r *recovery) last(s *stored) (there bool, err error) {
	if !s.data() { // the owner that set it aside wrote nothing
		r.found.Next = s.base
		r.reach(s.base + 1)
		return true, nil
	}
	if s.zipped {
		r.found.Next, err = r.zippedEnd(s.base)
		return true, err
	}
	file, err := r.config.FS.OpenFile(r.config.path(s.base, suffixLog), os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	m := mender{recovery: r, base: s.base, source: plain{file}, file: file}
	there, err = m.run()
	if err != nil || r.goesOn == nil {
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return false, err
	}
	if !there {
		return false, r.removeAll(&stored{names: []string{
			fileName(s.base, suffixLog), fileName(s.base, suffixIndex), fileName(s.base, suffixWarn),
		}})
	}
	return true, nil
}

// checkSealed compares index and postings of a sealed segment with its footer, and makes them again where they differ. It
// leaves them as they are when the data do not give them any more.
func (r *recovery) checkSealed(base uint64, foot *footer) error {
	for suffix, want := range map[string]uint32{suffixIndex: foot.index, suffixWarn: foot.warn} {
		got, err := sumFile(r.config.FS, r.config.path(base, suffix))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err != nil || got != want {
			r.found.Rebuilt = append(r.found.Rebuilt, fileName(base, suffix))
		}
	}
	if len(r.found.Rebuilt) == 0 {
		return nil
	}
	err := Rebuild(r.config.FS, r.config.path(base, suffixLog))
	if errors.Is(err, ErrCorrupt) { // the footer tells what follows, and readers do without the index
		r.found.Rebuilt = nil
		r.damaged(Damage{File: fileName(base, suffixLog), Err: err})
		return nil
	}
	return err
}
