// Package e2e holds the end-to-end tests of the whole way of a record: the stack's own program on the embedded AWS, the
// functions as processes, and what they leave read back by readers that are not ours. It has no code of its own.
package e2e
