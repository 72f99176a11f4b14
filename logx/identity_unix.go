//go:build linux || darwin

package logx

import (
	"os"
	"syscall"
)

// identity tells a directory from its copies: device and inode.
func identity(dir string) uint64 {
	info, err := os.Stat(dir)
	if err != nil {
		return 0
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(stat.Dev)<<48 ^ uint64(stat.Ino)
}
