package flight

// image is the memory of a recorder: both rings and their cursors, on the heap
// or in a MAP_SHARED file.
type image struct {
	packets       []slot
	life          []slot
	packetCursors *cursors
	lifeCursors   *cursors
}

func newImage(c *Config) (*image, error) {
	return &image{
		packets:       make([]slot, c.Records),
		life:          make([]slot, c.Lifecycle),
		packetCursors: new(cursors),
		lifeCursors:   new(cursors),
	}, nil
}
