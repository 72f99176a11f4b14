package flight

import "unsafe"

// image is the memory of a recorder: both rings and their cursors, on the heap
// or in a MAP_SHARED file. It is fixed after it was made.
type image struct {
	packets       []slot
	life          []slot
	packetCursors *cursors
	lifeCursors   *cursors
	release       func() error // unmaps and closes the file; nil on the heap
}

// newImage returns the memory that c asks for. With ErrUnsupported it returns a
// heap image as well.
func newImage(c *Config) (*image, error) {
	if c.Dir == "" || !Enabled {
		return heapImage(c.Records, c.Lifecycle), nil
	}
	data, release, err := createMapped(c)
	if err != nil {
		if err == ErrUnsupported {
			return heapImage(c.Records, c.Lifecycle), err
		}
		return nil, err
	}
	return fileImage(data, c, release), nil
}

func heapImage(records, lifecycle int) *image {
	return &image{
		packets:       make([]slot, records),
		life:          make([]slot, lifecycle),
		packetCursors: new(cursors),
		lifeCursors:   new(cursors),
	}
}

// fileImage lays the rings over a file's bytes, see the layout in file.go. The
// mapping starts on a page, so every slot starts on a cache line.
func fileImage(data []byte, c *Config, release func() error) *image {
	life := headerSize
	packets := life + c.Lifecycle*recordSize
	return &image{
		packets:       unsafe.Slice((*slot)(unsafe.Pointer(&data[packets])), c.Records),
		life:          unsafe.Slice((*slot)(unsafe.Pointer(&data[life])), c.Lifecycle),
		packetCursors: (*cursors)(unsafe.Pointer(&data[offPacketCursors])),
		lifeCursors:   (*cursors)(unsafe.Pointer(&data[offLifeCursors])),
		release:       release,
	}
}
