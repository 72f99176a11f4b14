// Package pool keeps free lists of fixed-size slots of memory: a cache per
// worker over a lock-free central list of batches.
package pool
