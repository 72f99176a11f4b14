// Package chaos wraps a handler so that it panics when told to, once, at a named seam: for drills that show what a panic
// costs and what it leaves behind.
//
//	engine --callback--> Handler --trip--> the seam that is armed? panic : the wrapped handler
//
// A server without it pays nothing; with it, each callback costs an atomic load more.
package chaos
