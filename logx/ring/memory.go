package ring

import "unsafe"

// aligned returns memory that begins on a word, as the atomics in it need.
func aligned(size int) []byte {
	words := make([]uint64, (size+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size)
}
