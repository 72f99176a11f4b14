package segment

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// MaxDamages bounds what a Recovery lists of damage; the rest is counted.
const MaxDamages = 16

// Damage is a file of which recovery found that the death of a process does not explain it. It is a value.
type Damage struct {
	File     string // name in the directory
	Bytes    int64  // of it that are no part of the log any more; 0 = it stays as it is, or had none
	Kept     string // name of the file that keeps them; "" = nothing was taken out
	Records  int    // whole ones among them
	From, To uint64 // the index due where it begins, and the last that is known to have been given out; 0, 0 = none is missing
	Err      error  // wraps ErrCorrupt
}

// damaged takes note of damage, and of the indexes that were given out.
func (r *recovery) damaged(d Damage) {
	r.reach(d.To + 1)
	if len(r.found.Damaged) == MaxDamages {
		r.found.More++
		return
	}
	r.found.Damaged = append(r.found.Damaged, d)
}

// reach says that the indexes before next were given out.
func (r *recovery) reach(next uint64) { r.found.Behind = max(r.found.Behind, next) }

// known is what index or postings of a segment tell of its records.
type known struct {
	suffix string
	next   uint64 // the index after the last record they name, 0 when they name none
}

// lookBeside reads index and postings, those that are there, for the indexes that they name.
func (r *recovery) lookBeside(base uint64) (all []known, err error) {
	for _, suffix := range []string{suffixIndex, suffixWarn} {
		next, err := r.named(r.config.path(base, suffix), base)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, known{suffix: suffix, next: next})
	}
	return all, nil
}

// named gives the index after the last that a file names, 0 when it names none: a block index of either form, postings, or
// bytes with whole records among them. What is damaged in the file names nothing.
func (r *recovery) named(path string, base uint64) (next uint64, err error) {
	file, err := r.config.FS.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	magic := make([]byte, len(magicLog))
	if _, err := file.ReadAt(magic, 0); err != nil {
		return 0, notEOF(err)
	}
	switch string(magic) {
	case indexMagic, packedMagic:
		return r.namedByIndex(file, base)
	case warnMagic:
		_, _, err = eachPosting(file, r.store, base, func(p *Posting, _ int) bool {
			if ours(p.Index, base) {
				next = max(next, p.Index+1)
			}
			return true
		})
		return next, err
	}
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	rest, err := salvage(file, 0, min(info.Size(), MaxSegmentBytes), base)
	return rest.end(), err
}

func (r *recovery) namedByIndex(file File, base uint64) (next uint64, err error) {
	b, err := readOpen(file, maxPackedBytes)
	if err == nil {
		var x blockIndex
		if x, err = newBlockIndex(bytes.NewReader(b), int64(len(b)), &header{store: r.store, base: base}); err == nil {
			return x.names(base), nil
		}
	}
	if errors.Is(err, ErrCorrupt) {
		err = nil
	}
	return 0, err
}

// names gives the index after the last record of the blocks that can be read, 0 when there is none.
func (x *blockIndex) names(base uint64) (next uint64) {
	if x.packed != nil {
		if last := x.packed.last().First; x.n > 0 && ours(last, base) {
			return last
		}
		return 0
	}
	for i := range x.n {
		if b, err := x.block(i); err == nil && ours(b.First, base) && ours(b.End(), base) {
			next = max(next, b.End())
		}
	}
	return next
}

// keep takes a file out of the log, under a name of its own, and tells of it. d says what is known but its file.
func (r *recovery) keep(base uint64, suffix string, d Damage) error {
	path := r.config.path(base, suffix)
	info, err := r.config.FS.Stat(path)
	if err != nil {
		return err
	}
	aside, err := r.freeAside(base)
	if err == nil {
		err = r.config.FS.Rename(path, aside)
	}
	if err != nil {
		return err
	}
	d.File, d.Bytes, d.Kept = fileName(base, suffix), info.Size(), filepath.Base(aside)
	r.found.Aside = aside
	r.damaged(d)
	return nil
}

// keepBeside keeps index and postings that name records which the data have not, and removes the others.
func (r *recovery) keepBeside(base, due uint64, all []known) error {
	for _, k := range all {
		var err error
		if k.next > due {
			err = r.keep(base, k.suffix, k.damage(base, due))
		} else {
			err = remove(r.config.FS, r.config.path(base, k.suffix))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (k known) damage(base, due uint64) Damage {
	return Damage{From: max(due, base), To: k.next - 1, Err: fmt.Errorf("%w: it names record %d, the data of segment %d end before", ErrCorrupt, k.next-1, base)}
}

// keepOrphans keeps index and postings whose data are gone. The data had one record at least: these files are made behind it.
func (r *recovery) keepOrphans(s *stored) error {
	all, err := r.lookBeside(s.base)
	if err != nil {
		return err
	}
	for _, k := range all {
		cause := fmt.Errorf("%w: the data of its segment are gone", ErrCorrupt)
		if err := r.keep(s.base, k.suffix, Damage{From: s.base, To: max(k.next, s.base+1) - 1, Err: cause}); err != nil {
			return err
		}
	}
	return nil
}
