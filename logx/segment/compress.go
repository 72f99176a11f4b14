package segment

import (
	"errors"
	"fmt"
	"os"

	"github.com/klauspost/compress/zstd"

	"vitrine/logx/record"
)

const (
	// zstdWindow holds the largest block, so that every frame is one run of bytes to its decoder.
	zstdWindow = 512 << 10
	// writeBytes is how much compressed data is gathered for one write.
	writeBytes = 1 << 20
)

// errStopped ends a compression because the writer closes.
var errStopped = errors.New("stopped")

// compressor turns a sealed .log into a .log.zst.
//
//	.log   | header  | block 0 | block 1 | .. | footer  |
//	         frame 0   frame 1   frame 2   ..   frame n+1   skippable frame with the table of the frames
type compressor struct {
	back    *background
	base    uint64
	source  plain
	footer  footer
	encoder *zstd.Encoder
	target  growing
	packed  *packer
	index   growing  // of what packed makes
	waiting []byte   // frames that target has not taken
	frames  []uint64 // offset of each frame, then of the table
	block   []byte
}

// compress replaces BASE.log by BASE.log.zst and BASE.idx by its packed form: both are written under other names, synced
// and renamed, the index first, and only then is the .log removed. Whatever ends it before leaves the .log as it is; either
// form of the index goes with either form of the data. It blocks for as long as it takes, and ends early with errStopped.
func (b *background) compress(base uint64) error {
	file, err := b.config.FS.OpenFile(b.config.path(base, suffixLog), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	// Few matches, and literals as they are: 11 % more bytes than zstd's default, and a search decodes a block in half the time.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithNoEntropyCompression(true))
	if err != nil {
		return err
	}
	defer encoder.Close()
	c := compressor{back: b, base: base, source: plain{file}, encoder: encoder}
	c.target = growing{fs: b.config.FS, path: b.config.path(base, suffixZstd+suffixTemp), flag: os.O_TRUNC}
	c.index = growing{fs: b.config.FS, path: b.config.path(base, suffixIndex+suffixTemp), flag: os.O_TRUNC}
	if err := c.run(); err != nil {
		return errors.Join(err, c.target.close(), remove(b.config.FS, c.target.path), c.index.close(), remove(b.config.FS, c.index.path))
	}
	b.counters.from.Add(int64(c.footer.offset) + FooterBytes)
	b.counters.to.Add(c.target.size)
	b.counters.compressed.Add(1)
	return nil
}

func (c *compressor) run() error {
	index, err := c.readIndex()
	if err != nil {
		return err
	}
	if err := c.writeFrames(index); err != nil {
		return err
	}
	if c.back.stopping() {
		return errStopped // the sync may take long
	}
	if err := errors.Join(c.target.sync(), c.target.close(), c.index.sync(), c.index.close()); err != nil {
		return err
	}
	config := c.back.config
	if err := config.FS.Rename(c.index.path, config.path(c.base, suffixIndex)); err != nil {
		return err
	}
	if err := config.FS.Rename(c.target.path, config.path(c.base, suffixZstd)); err != nil {
		return err
	}
	if err := config.FS.SyncDir(config.Dir); err != nil {
		return err
	}
	return remove(config.FS, config.path(c.base, suffixLog))
}

// readIndex reads the .idx file once the footer says that it is whole. One that is not is made again first.
func (c *compressor) readIndex() ([]byte, error) {
	b, at, err := c.source.foot()
	if err != nil {
		return nil, err
	}
	var sealed bool
	if c.footer, sealed = parseFooter(b, at); !sealed {
		return nil, fmt.Errorf("%w: no footer", ErrCorrupt)
	}
	path := c.back.config.path(c.base, suffixIndex)
	index, err := readWhole(c.back.config.FS, path, maxIndexBytes)
	if err == nil && sum(index) == c.footer.index {
		return index, nil
	}
	if err := Rebuild(c.back.config.FS, c.back.config.path(c.base, suffixLog)); err != nil {
		return nil, err
	}
	if index, err = readWhole(c.back.config.FS, path, maxIndexBytes); err != nil {
		return nil, err
	}
	if sum(index) != c.footer.index {
		return nil, fmt.Errorf("%w: the index made from the data is not that of the footer", ErrCorrupt)
	}
	return index, nil
}

// writeFrames writes header, blocks, footer and the table.
func (c *compressor) writeFrames(index []byte) error {
	head, err := c.source.head()
	if err != nil {
		return err
	}
	h, err := parseHeader(head)
	if err != nil {
		return err
	}
	c.frame(head[:h.size])
	c.packed = newPacker(h.store, h.base)
	end := int64(h.size)
	for i := range entriesIn(int64(len(index))) {
		b, _, err := parseEntry(index[entryOffset(i):], i)
		if err == nil && int64(b.Offset) != end {
			err = fmt.Errorf("%w: block %d begins at byte %d, not %d", ErrCorrupt, i, b.Offset, end)
		}
		if err == nil {
			err = c.writeBlock(&b)
		}
		if err != nil {
			return err
		}
		end = b.end()
	}
	if end != int64(c.footer.offset) {
		return fmt.Errorf("%w: the index ends at byte %d, not %d", ErrCorrupt, end, c.footer.offset)
	}
	c.frame(appendFooter(nil, &c.footer))
	c.frames = append(c.frames, c.offset())
	c.waiting = appendFrameTable(c.waiting, c.frames)
	c.packed.seal()
	return errors.Join(c.target.take(&c.waiting), c.index.take(&c.packed.out))
}

func (c *compressor) writeBlock(b *Block) (err error) {
	if c.back.stopping() {
		return errStopped
	}
	if c.block, err = c.source.block(b, c.block); err != nil {
		return err
	}
	start := len(c.waiting)
	c.frame(c.block)
	c.packed.frame = func(int) []byte { return c.waiting[start:] }
	c.pack(b)
	if len(c.waiting) < writeBytes {
		return nil
	}
	return errors.Join(c.target.take(&c.waiting), c.index.take(&c.packed.out))
}

// pack adds the block to the packed index. Of one that has damaged heads the sessions are not known.
func (c *compressor) pack(b *Block) {
	next := b.First
	for rest := c.block; len(rest) > 0; next++ {
		size, index, session := record.Hop(rest)
		if size == 0 || index != next {
			c.packed.blind = true
			break
		}
		if session != 0 {
			c.packed.session(mix(session))
		}
		rest = rest[size:]
	}
	c.packed.add(b)
}

// frame adds a frame.
func (c *compressor) frame(b []byte) {
	c.frames = append(c.frames, c.offset())
	c.waiting = c.encoder.EncodeAll(b, c.waiting)
}

// offset is where the next frame begins.
func (c *compressor) offset() uint64 { return uint64(c.target.size) + uint64(len(c.waiting)) }
