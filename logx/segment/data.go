package segment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// readFile is what reading needs of an open file: *os.File and [File] have it.
type readFile interface {
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

// data is the content of a .log as one of its two forms keeps it. Any goroutine may call it.
type data interface {
	// run reads bytes for a walk into buf: those from offset on, or the block of the given number and, behind the
	// last block, the footer. The error is io.EOF when there are none.
	run(number int, offset int64, buf []byte) ([]byte, error)
	// head reads the first bytes, as many as a header may have.
	head() ([]byte, error)
	// foot reads the last bytes, if they may be a footer, and tells where they stand.
	foot() ([]byte, int64, error)
	// framed tells whether run gives whole blocks.
	framed() bool
}

// readBlock reads the records of a block into buf, which grows to MaxBlockBytes and frameSlack at most: none when it knows
// that no record of the session, 0 for any, is among them. It knows both forms by name, so
// that nothing escapes.
func readBlock(d data, b *Block, session uint64, buf []byte) ([]byte, error) {
	if z, ok := d.(*zipped); ok {
		return z.block(b, session, buf)
	}
	return d.(plain).block(b, buf)
}

// plain is a .log.
type plain struct{ file readFile }

func (p plain) framed() bool { return false }

func (p plain) block(b *Block, buf []byte) ([]byte, error) {
	if b.Length >= MaxBlockBytes {
		return nil, fmt.Errorf("%w: block of %d bytes", ErrCorrupt, b.Length)
	}
	buf = sized(buf, int(b.Length))
	if _, err := p.file.ReadAt(buf, int64(b.Offset)); err != nil {
		return nil, cut(err)
	}
	return buf, nil
}

// cut says that a file is shorter than what speaks of it claims.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file ends before it", ErrCorrupt)
	}
	return err
}

// frameSlack is room behind the bytes of a block and of its frame: with it the decoder copies 16 bytes at a time.
const frameSlack = 32

// sized gives n bytes, those of buf when it has room.
func sized(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n)
	}
	return buf[:n]
}

func (p plain) run(_ int, offset int64, buf []byte) ([]byte, error) {
	n, err := p.file.ReadAt(buf[:cap(buf)], offset)
	if n > 0 {
		return buf[:n], nil
	}
	return nil, err
}

func (p plain) head() ([]byte, error) {
	b, err := p.run(0, 0, make([]byte, MaxHeaderBytes))
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b, err
}

func (p plain) foot() ([]byte, int64, error) {
	info, err := p.file.Stat()
	if err != nil || info.Size() < FooterBytes {
		return nil, 0, err
	}
	if info.Size() > MaxSegmentBytes {
		return nil, 0, fmt.Errorf("%w: %d bytes are more than a segment has", ErrCorrupt, info.Size())
	}
	at := info.Size() - FooterBytes
	b, err := p.run(0, at, make([]byte, FooterBytes))
	return b, at, err
}

// zipped is a .log.zst: frame 0 is the header, frame i+1 block i, the last frame the footer.
type zipped struct {
	file   readFile
	frames []uint64 // compressed offsets, and the end
	pool   *inflaters
}

func newZipped(file readFile, pool *inflaters) (*zipped, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	frames, err := readFrameTable(file, info.Size())
	return &zipped{file: file, frames: frames, pool: pool}, err
}

func (z *zipped) framed() bool { return true }

// blocks counts the frames that are blocks.
func (z *zipped) blocks() int { return len(z.frames) - 1 - frameTableExtra }

func (z *zipped) block(b *Block, session uint64, buf []byte) ([]byte, error) {
	if b.Length >= MaxBlockBytes || b.number < 0 || b.number >= z.blocks() {
		return nil, fmt.Errorf("%w: block %d of %d bytes", ErrCorrupt, b.number, b.Length)
	}
	in, err := z.read(b.number + 1)
	if err != nil {
		return nil, err
	}
	defer z.pool.put(in)
	if session != 0 && b.needle > 0 && !in.shows(session, b) {
		return buf[:0], nil
	}
	buf, err = in.decode(b.number+1, sized(buf, int(b.Length)+frameSlack))
	if err == nil && len(buf) != int(b.Length) {
		err = fmt.Errorf("%w: block of %d bytes, not %d", ErrCorrupt, len(buf), b.Length)
	}
	return buf, err
}

func (z *zipped) run(number int, _ int64, buf []byte) ([]byte, error) {
	if number > z.blocks() {
		return nil, io.EOF
	}
	return z.frame(number+1, buf)
}

func (z *zipped) head() ([]byte, error) { return z.frame(0, make([]byte, MaxHeaderBytes)) }

func (z *zipped) foot() ([]byte, int64, error) {
	b, err := z.frame(len(z.frames)-2, make([]byte, FooterBytes))
	if err != nil || len(b) != FooterBytes {
		return nil, 0, err
	}
	return b, int64(order.Uint64(b[48:])), nil
}

// frame decodes a frame into the capacity of buf, which is the most it may have.
func (z *zipped) frame(i int, buf []byte) ([]byte, error) {
	in, err := z.read(i)
	if err != nil {
		return nil, err
	}
	defer z.pool.put(in)
	return in.decode(i, buf)
}

// read reads a frame. Whoever gets the inflater puts it back.
func (z *zipped) read(i int) (*inflater, error) {
	in, err := z.pool.get()
	if err != nil {
		return nil, err
	}
	size := int(z.frames[i+1] - z.frames[i])
	in.buf = sized(in.buf, size+frameSlack)[:size]
	if _, err := z.file.ReadAt(in.buf, int64(z.frames[i])); err != nil {
		z.pool.put(in)
		return nil, cut(err)
	}
	return in, nil
}

// shows tells whether the frame may have a record of a session that would be seen in it. Only an intact frame that does not
// show it has none.
func (in *inflater) shows(session uint64, b *Block) bool {
	var id [8]byte
	order.PutUint64(id[:], session)
	return bytes.Contains(in.buf, id[:b.needle]) || sum(in.buf) != b.sum
}

// decode decodes frame i, which was read, into the capacity of buf.
func (in *inflater) decode(i int, buf []byte) ([]byte, error) {
	out, err := in.decoder.DecodeAll(in.buf, buf[:0])
	if err != nil {
		return nil, fmt.Errorf("%w: frame %d: %w", ErrCorrupt, i, err)
	}
	return out, nil
}

// raw reads the frame of a block as it is, nil when it cannot be read.
func (z *zipped) raw(number int) []byte {
	if number < 0 || number >= z.blocks() {
		return nil
	}
	b := make([]byte, z.frames[number+2]-z.frames[number+1])
	if _, err := z.file.ReadAt(b, int64(z.frames[number+1])); err != nil {
		return nil
	}
	return b
}

// newPacker makes a packer for the segment.
func (c *content) newPacker() *packer {
	p := newPacker(c.head.store, c.head.base)
	if z, ok := c.data.(*zipped); ok {
		p.frame = z.raw
	}
	return p
}

// buffers keeps room of one size that is not in use. Any goroutine may call it.
type buffers struct {
	size int // fixed
	pool sync.Pool
}

func (p *buffers) get() *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, p.size)
	return &b
}

func (p *buffers) put(b *[]byte) { p.pool.Put(b) }

// inflaters keeps the decoders that are not in use. Any goroutine may call it.
type inflaters struct{ pool sync.Pool }

// inflater is a decoder and room for what it reads. It belongs to one call.
type inflater struct {
	decoder *zstd.Decoder
	buf     []byte // at most maxFrameBytes
}

// maxWindow is the history a frame of ours may ask for: a power of two above the largest block.
const maxWindow = 1 << 20

func (p *inflaters) get() (*inflater, error) {
	if in, ok := p.pool.Get().(*inflater); ok {
		return in, nil
	}
	// A decoder that only decodes whole frames has no goroutines: it needs no Close. Records, header and footer have
	// checksums of their own, which find what the one of a frame would.
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxBlockBytes),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecodeAllCapLimit(true), zstd.IgnoreChecksum(true))
	if err != nil {
		return nil, fmt.Errorf("make decoder: %w", err)
	}
	return &inflater{decoder: d}, nil
}

func (p *inflaters) put(in *inflater) { p.pool.Put(in) }
