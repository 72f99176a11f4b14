//go:build !linux

package provoke

import (
	"errors"
	"fmt"
)

func limitMemory(uint64) error { return fmt.Errorf("limit memory: %w", errors.ErrUnsupported) }

func unmappedPage() ([]byte, error) { return nil, fmt.Errorf("map a page: %w", errors.ErrUnsupported) }
