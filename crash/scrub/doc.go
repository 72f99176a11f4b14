// Package scrub takes secrets out of what leaves the machine: texts, tracebacks, labels, environment and arguments.
package scrub
