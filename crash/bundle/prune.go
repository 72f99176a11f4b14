package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// whyPruned is Core.Why of a core that was removed later.
const whyPruned = "removed: the store keeps a limited number and size of cores"

// Removed is what Prune took away.
type Removed struct {
	Bundles int
	Cores   int   // of bundles that stay
	Bytes   int64 // of both
}

// Prune removes what is over the limits. Oldest go first; the first and the newest of each fingerprint go after all
// others, and the newest bundle and the newest core never. Bundles are counted with their cores out of the sum, cores by
// themselves; a bundle whose core is removed says so. It waits at most LockWait for other processes.
func (s *Store) Prune() (Removed, error) {
	var r Removed
	err := s.locked(func() error { return s.prune(&r) })
	if err != nil {
		return r, fmt.Errorf("prune crash store %q: %w", s.dir, err)
	}
	return r, nil
}

func (s *Store) prune(r *Removed) error {
	entries, err := s.list()
	if err != nil {
		return err
	}
	kept, err := s.pruneBundles(entries, r)
	return errors.Join(err, s.pruneCores(kept, r))
}

// pruneBundles removes whole bundles and returns those that stay.
func (s *Store) pruneBundles(entries []Entry, r *Removed) ([]Entry, error) {
	count, bytes := len(entries), int64(0)
	for _, e := range entries {
		bytes += e.text()
	}
	var errs error
	gone := map[string]bool{}
	for _, e := range removable(entries) {
		if count <= s.limits.Bundles && bytes <= s.limits.TextBytes {
			break
		}
		if err := s.discard(e.ID); err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		gone[e.ID] = true
		count, bytes = count-1, bytes-e.text()
		r.Bundles, r.Bytes = r.Bundles+1, r.Bytes+e.bytes
	}
	return slices.DeleteFunc(entries, func(e Entry) bool { return gone[e.ID] }), errs
}

// pruneCores removes cores and leaves the bundles.
func (s *Store) pruneCores(entries []Entry, r *Removed) error {
	cores := slices.DeleteFunc(entries, func(e Entry) bool { return e.Core == 0 })
	count, bytes := len(cores), int64(0)
	for _, e := range cores {
		bytes += e.Core
	}
	var errs error
	for _, e := range removable(cores) {
		if count <= s.limits.Cores && bytes <= s.limits.CoreBytes && s.roomy() {
			break
		}
		if err := s.dropCore(e.ID); err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		count, bytes = count-1, bytes-e.Core
		r.Cores, r.Bytes = r.Cores+1, r.Bytes+e.Core
	}
	return errs
}

// removable gives what may be removed, in the order in which it goes, of a list that begins with the newest.
func removable(entries []Entry) []Entry {
	if len(entries) == 0 {
		return nil
	}
	newest, first := map[string]string{}, map[string]string{}
	for _, e := range entries {
		if newest[e.kind()] == "" {
			newest[e.kind()] = e.ID
		}
		first[e.kind()] = e.ID
	}
	var others, dear []Entry
	for _, e := range slices.Backward(entries[1:]) {
		if newest[e.kind()] == e.ID || first[e.kind()] == e.ID {
			dear = append(dear, e)
		} else {
			others = append(others, e)
		}
	}
	return append(others, dear...)
}

// roomy tells whether as much of the disk is free as cores must leave.
func (s *Store) roomy() bool {
	free, total, err := s.disk.space()
	return err != nil || free >= s.kept(total)
}

// dropCore removes a core. meta.json says so first, so that it never speaks of a core that is gone; when it cannot be
// written, on a full disk say, the core goes all the same.
func (s *Store) dropCore(id string) error {
	s.update(id, func(m *Meta) { m.dropCore(whyPruned) })
	return s.disk.remove(id + "/" + coreName)
}

// discard removes a bundle. Its name goes in one step, so that nobody takes for whole what is half gone.
func (s *Store) discard(name string) error {
	gone := strings.TrimSuffix(name, suffixPartial) + suffixGone
	if exists(s.disk, gone) {
		if err := s.disk.removeAll(gone); err != nil {
			return err
		}
	}
	if err := s.disk.rename(name, gone); err != nil {
		return err
	}
	return s.disk.removeAll(gone)
}
