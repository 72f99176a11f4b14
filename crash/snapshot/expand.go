package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// pageBytes is the size of a page on the one architecture there is.
const pageBytes = 4096

// runBytes is how much memory is read, looked at and handed on at once.
const runBytes = 1 << 20

// decoderBytes is the most memory that a frame may demand for its window.
const decoderBytes = 32 << 20

// Expand turns core.zst into the ELF core that Delve opens, with holes where zeros are. It blocks on both files, may be
// called from any goroutine and leaves dst open, its offset behind the last byte. More than MaxExpandBytes is an error.
func Expand(dst *os.File, src io.Reader) error {
	// Behind a plain reader: what it knows to lie in memory the decoder would expand there as a whole.
	plain := struct{ io.Reader }{src}
	dec, err := zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(decoderBytes))
	if err != nil {
		return fmt.Errorf("expand core: %w", err)
	}
	defer dec.Close()
	buf := make([]byte, runBytes)
	var size int64
	for !errors.Is(err, io.EOF) {
		var n int
		n, err = fill(dec, buf)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("expand core: %w", err)
		}
		if size += int64(n); size > MaxExpandBytes {
			return fmt.Errorf("expand core: larger than %d bytes", int64(MaxExpandBytes))
		}
		if err := writeSparse(dst, buf[:n]); err != nil {
			return fmt.Errorf("expand core to %q: %w", dst.Name(), err)
		}
	}
	if err := dst.Truncate(size); err != nil {
		return fmt.Errorf("expand core to %q: %w", dst.Name(), err)
	}
	return nil
}

// fill reads until b is full. Unlike io.ReadFull it keeps the error as it is, so that a core that breaks off is told
// from one that ends.
func fill(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	return n, err
}

// writeSparse writes runs of pages and skips those that hold zeros alone.
func writeSparse(dst *os.File, b []byte) error {
	for len(b) > 0 {
		n, zero := pageRun(b)
		var err error
		if zero {
			_, err = dst.Seek(int64(n), io.SeekCurrent)
		} else {
			_, err = dst.Write(b[:n])
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// pageRun measures the run of pages at the front of b that all hold zeros alone, or all do not.
func pageRun(b []byte) (n int, zero bool) {
	for n < len(b) {
		page := b[n:min(n+pageBytes, len(b))]
		z := bytes.Equal(page, zeroPage[:len(page)])
		if n > 0 && z != zero {
			break
		}
		zero, n = z, n+len(page)
	}
	return n, zero
}

// zeroPage is compared with and never written to.
var zeroPage [pageBytes]byte
