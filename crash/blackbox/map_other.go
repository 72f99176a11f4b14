//go:build !linux

package blackbox

import "errors"

// createMapped answers ErrUnsupported: the box stays on the heap.
func createMapped(string) (*image, func() error, error) { return nil, nil, errors.ErrUnsupported }

func openMapped(string) (*image, func() error, error) { return nil, nil, errors.ErrUnsupported }
