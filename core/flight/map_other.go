//go:build !linux

package flight

// createMapped answers ErrUnsupported: without MAP_SHARED files the rings stay
// on the heap.
func createMapped(*Config) ([]byte, func() error, error) {
	return nil, nil, ErrUnsupported
}
