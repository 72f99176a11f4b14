// Package lockfree holds the containers through which goroutines hand things
// to each other without a lock: a stack of indexes for free lists, and three
// bounded queues.
package lockfree
