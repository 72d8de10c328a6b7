//go:build !linux

package captest

// Alone runs tests, and gives their exit status: on Linux, in a network namespace
// of their own.
func Alone(run func() int) int { return run() }
