package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"why520/capture/captest"
	"why520/validator/origintest"
)

func TestMain(m *testing.M) {
	if args := os.Getenv(proxyArguments); args != "" {
		os.Args = append([]string{"why520"}, strings.Split(args, "\n")...)
		main()
	}
	os.Exit(captest.Alone(func() int { return origintest.Run(m) }))
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
