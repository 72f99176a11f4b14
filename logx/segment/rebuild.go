package segment

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"vitrine/logx/record"
)

// Rebuild makes the .idx and the .warn of a segment again from its data: path is that of a .log or, with the packed form of
// the index, of a .log.zst. The
// files replace those that are there once they are complete and synced; .warn comes first. Nobody may write the segment
// meanwhile, readers may be there. It blocks for as long as reading all of the segment takes, and holds one block.
//
// The index of a segment that is not sealed ends with the last full block before its torn end. The error wraps
// ErrCorrupt, and nothing is replaced, when a sealed segment has a damaged record or does not give the files its footer
// speaks of.
func Rebuild(fs FS, path string) error {
	r := rebuilder{fs: fs, dir: filepath.Dir(path)}
	if err := r.run(path); err != nil {
		return fmt.Errorf("rebuild index of %q: %w", path, err)
	}
	return nil
}

// rebuilder is one call of Rebuild.
type rebuilder struct {
	fs        FS
	dir       string
	base      uint64
	content   content
	index     *indexer
	idx, warn growing
	plain     uint32 // checksum of the first form of the index, where idx has the packed one
	failed    error  // of writing, which ends the walk
}

func (r *rebuilder) run(path string) error {
	base, suffix, ok := parseName(filepath.Base(path))
	if !ok || suffix != suffixLog && suffix != suffixZstd {
		return errors.New("not the name of a segment's data")
	}
	r.base = base
	err := r.open(path, suffix == suffixZstd)
	defer r.content.close()
	if err != nil {
		return err
	}
	r.idx = growing{fs: r.fs, path: r.name(suffixIndex + suffixTemp), flag: os.O_TRUNC, summed: true}
	r.warn = growing{fs: r.fs, path: r.name(suffixWarn + suffixTemp), flag: os.O_TRUNC, summed: true}
	if err := errors.Join(r.write(), r.warn.close(), r.idx.close()); err != nil {
		return errors.Join(err, remove(r.fs, r.warn.path), remove(r.fs, r.idx.path))
	}
	return r.replace()
}

func (r *rebuilder) open(path string, compressed bool) error {
	file, err := r.fs.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	r.content.files = append(r.content.files, file)
	r.content.data = plain{file}
	if compressed {
		if r.content.data, err = newZipped(file, &inflaters{}); err != nil {
			return err
		}
	}
	return r.content.readHead(r.base)
}

func (r *rebuilder) name(suffix string) string { return filepath.Join(r.dir, fileName(r.base, suffix)) }

// write walks the data and writes what the indexer makes of them.
func (r *rebuilder) write() error {
	c := &r.content
	r.index = newIndexer(c.head.store, r.base, c.head.size)
	if c.data.framed() {
		r.index.packed = c.newPacker()
	}
	w := walker{data: c.data, offset: int64(c.head.size), next: r.base}
	err := w.all(func(h *record.Head, raw []byte) {
		r.index.add(h, raw)
		if len(r.index.idx) > BlockBytes || len(r.index.warn) > BlockBytes {
			r.failed = errors.Join(r.failed, r.flush())
		}
	})
	if errors.Is(err, ErrCorrupt) && !c.sealed {
		err = nil // the torn end
	}
	if c.sealed {
		r.index.seal()
	}
	if err = errors.Join(err, r.failed, r.flush()); err != nil {
		return err
	}
	if r.index.packed == nil {
		r.plain = r.idx.sum
	}
	if c.sealed && (!w.sealed || r.plain != c.foot.index || r.warn.sum != c.foot.warn) {
		return fmt.Errorf("%w: the records do not give the files its footer speaks of", ErrCorrupt)
	}
	return errors.Join(r.warn.sync(), r.idx.sync())
}

func (r *rebuilder) flush() error {
	if p := r.index.packed; p != nil {
		r.plain = crc32.Update(r.plain, castagnoli, r.index.idx)
		r.index.idx = r.index.idx[:0]
		return errors.Join(r.warn.take(&r.index.warn), r.idx.take(&p.out))
	}
	return errors.Join(r.warn.take(&r.index.warn), r.idx.take(&r.index.idx))
}

// replace puts the new files in place.
func (r *rebuilder) replace() error {
	if err := r.fs.Rename(r.warn.path, r.name(suffixWarn)); err != nil {
		return err
	}
	if err := r.fs.Rename(r.idx.path, r.name(suffixIndex)); err != nil {
		return err
	}
	return r.fs.SyncDir(r.dir)
}
