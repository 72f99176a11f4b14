package segment

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
)

// growing is a file that is written from its front to its end. It keeps its place by itself and writes there, so
// that a write which was taken in part goes on exactly behind that part.
type growing struct {
	fs     FS
	path   string
	flag   int    // beside O_CREATE, for the first write
	file   File   // nil before the first write
	size   int64  // bytes the file has taken
	summed bool   // sum is kept
	sum    uint32 // CRC-32C of those bytes
	dirty  bool   // written since the last sync
	mended bool   // mend has written
}

// write writes b in one call of the system, as a rule, and returns how much of it was taken.
func (g *growing) write(b []byte) (int, error) {
	if g.file == nil {
		file, err := g.fs.OpenFile(g.path, os.O_RDWR|os.O_CREATE|g.flag, fileMode)
		if err != nil {
			return 0, fmt.Errorf("make %q: %w", g.path, err)
		}
		g.file = file
	}
	n, err := g.file.WriteAt(b, g.size)
	n = min(max(n, 0), len(b))
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	g.size += int64(n)
	if g.summed {
		g.sum = g.sumWith(b[:n])
	}
	g.dirty = g.dirty || n > 0
	if err != nil {
		return n, fmt.Errorf("write %q at byte %d: %w", g.path, g.size, err)
	}
	return n, nil
}

// take writes what waits and leaves there what the file has not taken.
func (g *growing) take(waiting *[]byte) error {
	if len(*waiting) == 0 {
		return nil
	}
	n, err := g.write(*waiting)
	*waiting = (*waiting)[:copy(*waiting, (*waiting)[n:])]
	return err
}

// sumWith is the checksum of the file once it has taken b.
func (g *growing) sumWith(b []byte) uint32 { return crc32.Update(g.sum, castagnoli, b) }

func (g *growing) sync() error {
	if !g.dirty {
		return nil
	}
	if err := g.file.Sync(); err != nil {
		return fmt.Errorf("sync %q: %w", g.path, err)
	}
	g.dirty = false
	return nil
}

func (g *growing) close() error {
	if g.file == nil {
		return nil
	}
	file := g.file
	g.file = nil
	return file.Close()
}

// rewind goes back to the first n bytes of an open file. What is behind them stays until it is written or trimmed.
func (g *growing) rewind(n int64) error {
	sum, err := sumOf(g.file, n)
	if err != nil {
		return fmt.Errorf("read %q: %w", g.path, err)
	}
	g.size, g.sum = n, sum
	return nil
}

// mend is take for a file that may have these bytes already: it writes only where they differ. What cannot be written
// stays where it waits, for the owner to try again.
func (g *growing) mend(waiting *[]byte) {
	b := *waiting
	if len(b) == 0 {
		return
	}
	have := make([]byte, len(b))
	if n, _ := g.file.ReadAt(have, g.size); bytes.Equal(have[:n], b) {
		g.size += int64(n)
		g.sum = g.sumWith(b)
		*waiting = b[:0]
		return
	}
	g.mended = true
	_ = g.take(waiting) // what is left tells of the error
}

// trim cuts off what is behind the bytes written, and tells whether the file is another than it was.
func (g *growing) trim() (changed bool, err error) {
	info, err := g.file.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() <= g.size {
		return g.mended, nil
	}
	return true, g.file.Truncate(g.size)
}

// sumFile is the CRC-32C of a file.
func sumFile(fsys FS, path string) (uint32, error) {
	file, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return sumOf(file, info.Size())
}

// sumOf is the CRC-32C of the first n bytes of a file; fewer are an error.
func sumOf(file io.ReaderAt, n int64) (uint32, error) {
	sum := crc32.New(castagnoli)
	copied, err := io.Copy(sum, io.NewSectionReader(file, 0, n))
	if err == nil && copied < n {
		err = io.ErrUnexpectedEOF
	}
	return sum.Sum32(), err
}

// readWhole reads a file of at most limit bytes.
func readWhole(fsys FS, path string, limit int64) ([]byte, error) {
	file, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readOpen(file, limit)
}

func readOpen(file File, limit int64) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d can be", ErrCorrupt, info.Size(), limit)
	}
	b := make([]byte, info.Size())
	n, err := file.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// remove deletes a file that may be gone.
func remove(fsys FS, path string) error {
	if err := fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
