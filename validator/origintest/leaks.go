package origintest

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Run runs the tests of m, and gives its exit status; or 1, with the stacks on
// standard error, where a goroutine outlives them by half a minute. It is for
// TestMain: os.Exit(origintest.Run(m)).
func Run(m interface{ Run() int }) int { return run(m, 30*time.Second, os.Stderr) }

func run(m interface{ Run() int }, patience time.Duration, log io.Writer) int {
	before := len(goroutines())
	code := m.Run()
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		left := goroutines()
		if len(left) <= before {
			return code
		}
		if time.Now().After(end) {
			fmt.Fprintf(log, "goroutines left behind:\n%s\n", strings.Join(left, "\n\n"))
			return max(code, 1)
		}
	}
}

// goroutines gives the stacks of all goroutines, that of package os/signal left
// out: once started, it stays.
func goroutines() []string {
	stacks := make([]byte, 1<<20)
	all := strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n")
	return slices.DeleteFunc(all, func(s string) bool { return strings.Contains(s, "os/signal.signal_recv") })
}
