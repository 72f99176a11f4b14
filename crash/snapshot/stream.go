package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"
)

// stream is the compressed core on its way out: zstd frames one after the other, which every tool takes for one file.
//
//	+----------------+----------------+----------------+-- -
//	| frame of data  | frame of zeros | frame of data  |
//	+----------------+----------------+----------------+-- -
//
// Zeros come as blocks of 128 KiB in 4 bytes each, so that a long hole costs neither time nor room. Shorter stretches
// than frameBreak go through the compressor like data. Owned by WriteCore.
type stream struct {
	out     *meter
	enc     *zstd.Encoder
	open    bool  // a frame of data is under way
	pending int64 // zeros that were promised and not written yet
}

// The window of the compressor and the stretch of zeros for which its frame is ended.
const (
	windowBytes = 1 << 20
	frameBreak  = 1 << 20
)

// meter counts and hashes what goes out. Owned by the stream.
type meter struct {
	w     io.Writer
	hash  hash.Hash
	bytes int64
}

func (m *meter) Write(b []byte) (int, error) {
	n, err := m.w.Write(b)
	m.hash.Write(b[:n])
	m.bytes += int64(n)
	return n, err
}

func (m *meter) sum() string { return hex.EncodeToString(m.hash.Sum(nil)) }

func newStream(w io.Writer) (*stream, error) {
	out := &meter{w: w, hash: sha256.New()}
	enc, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(windowBytes), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("compress core: %w", err)
	}
	return &stream{out: out, enc: enc}, nil
}

// zeros appends n bytes of zeros.
func (s *stream) zeros(n int64) { s.pending += n }

// data appends bytes.
func (s *stream) data(b []byte) error {
	if err := s.flushZeros(); err != nil {
		return err
	}
	if !s.open {
		s.enc.Reset(s.out)
		s.open = true
	}
	_, err := s.enc.Write(b)
	return err
}

// end writes what is left. The stream is not used again.
func (s *stream) end() error {
	if err := s.flushZeros(); err != nil {
		return err
	}
	return s.endFrame()
}

func (s *stream) endFrame() error {
	if !s.open {
		return nil
	}
	s.open = false
	return s.enc.Close()
}

// flushZeros writes the zeros that were promised.
func (s *stream) flushZeros() error {
	n := s.pending
	s.pending = 0
	if n >= frameBreak || !s.open {
		if err := s.endFrame(); err != nil {
			return err
		}
		return writeZeroFrames(s.out, n)
	}
	for n > 0 {
		m, err := s.enc.Write(zeroPage[:min(n, pageBytes)])
		if err != nil {
			return err
		}
		n -= int64(m)
	}
	return nil
}

// The parts of a frame of zeros, RFC 8878.
//
//	magic 4 | descriptor 1 (no size, no checksum) | window 1 (128 KiB) | blocks of 3 + 1
//
// A block's header, 24 bits little-endian: bit 0 last block, bits 1..2 type (1: one byte repeated), bits 3..23 length.
const (
	zstdMagic        = 0xfd2fb528
	zeroWindow       = (17 - 10) << 3
	zeroBlockBytes   = 128 << 10
	zeroFrameBlocks  = 4096 // 512 MiB of zeros in 16 KiB
	repeatBlock      = 1 << 1
	lastBlock        = 1
	blockLengthShift = 3
)

// writeZeroFrames writes frames of n zeros in all.
func writeZeroFrames(w io.Writer, n int64) error {
	for n > 0 {
		b := binary.LittleEndian.AppendUint32(make([]byte, 0, 64), zstdMagic)
		b = append(b, 0, zeroWindow)
		for range zeroFrameBlocks {
			length := min(n, zeroBlockBytes)
			n -= length
			header := uint32(length)<<blockLengthShift | repeatBlock
			if n == 0 || len(b) >= 6+4*(zeroFrameBlocks-1) {
				header |= lastBlock
			}
			b = append(b, byte(header), byte(header>>8), byte(header>>16), 0)
			if header&lastBlock != 0 {
				break
			}
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}
