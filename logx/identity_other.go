//go:build !linux && !darwin

package logx

import (
	"hash/fnv"
	"path/filepath"
)

// identity tells a directory from its copies: its path.
func identity(dir string) uint64 {
	path, err := filepath.Abs(dir)
	if err != nil {
		path = dir
	}
	h := fnv.New64a()
	h.Write([]byte(path))
	return h.Sum64()
}
