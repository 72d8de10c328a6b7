package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain fails where a goroutine outlives the tests.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().Before(end) {
			continue
		}
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", stacks[:runtime.Stack(stacks, true)])
		code = max(code, 1)
		break
	}
	os.Exit(code)
}

// A result is what a run of the command gave.
type result struct {
	code     int
	out, log string
}

// why520 runs the command with these arguments.
func why520(t *testing.T, args ...string) result {
	t.Helper()
	var out, log bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(""), &out, &log)
	return result{code, out.String(), log.String()}
}

// file makes a file and gives its path.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := t.TempDir() + "/" + name
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
