//go:build linux

package logs

import (
	"io"
	"os"
	"sync/atomic"
	"time"

	"vitrine/logx/segment"
)

// stall is a disk that answers no write for a while, again and again:
//
//	start    lasts        every
//	  |=======|............|=======|............|=======|....
//	   blocked    passes    blocked    passes
//
// Any goroutine may write; all wait for the same end.
type stall struct {
	start  time.Time     // fixed
	every  time.Duration // fixed
	lasts  time.Duration // fixed, less than every
	blocks atomic.Int64  // writes that waited
}

// wait returns when the disk answers.
func (s *stall) wait() {
	if left := s.lasts - time.Since(s.start)%s.every; left > 0 {
		s.blocks.Add(1)
		time.Sleep(left)
	}
}

// fs is the operating system's files on the stalling disk.
func (s *stall) fs() segment.FS { return stalledFS{segment.OS(), s} }

// stalledWriter is a peer's file on the stalling disk.
type stalledWriter struct {
	to    io.Writer
	stall *stall
}

func (w stalledWriter) Write(b []byte) (int, error) {
	w.stall.wait()
	return w.to.Write(b)
}

type stalledFS struct {
	segment.FS
	stall *stall
}

func (f stalledFS) OpenFile(name string, flag int, perm os.FileMode) (segment.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil || flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return file, err
	}
	return stalledFile{file, f.stall}, nil
}

type stalledFile struct {
	segment.File
	stall *stall
}

func (f stalledFile) WriteAt(b []byte, at int64) (int, error) {
	f.stall.wait()
	return f.File.WriteAt(b, at)
}

func (f stalledFile) Sync() error {
	f.stall.wait()
	return f.File.Sync()
}
