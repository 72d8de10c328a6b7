package origintest

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

// Run runs the tests of m, and gives its exit status; or 1, with the stacks on
// standard error, where a goroutine outlives them by five seconds. It is for
// TestMain: os.Exit(origintest.Run(m)).
func Run(m interface{ Run() int }) int { return run(m, 5*time.Second, os.Stderr) }

func run(m interface{ Run() int }, patience time.Duration, log io.Writer) int {
	before := runtime.NumGoroutine()
	code := m.Run()
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().Before(end) {
			continue
		}
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(log, "goroutines left behind:\n%s\n", stacks[:runtime.Stack(stacks, true)])
		return max(code, 1)
	}
	return code
}
