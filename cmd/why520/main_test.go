package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
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

// Nothing that a user typed makes a terminal obey.
func TestErrorsPrintNothingThatATerminalObeys(t *testing.T) {
	const evil = "\x1b[2J\u202e\r\nwhy520: forged"
	for _, args := range [][]string{
		{evil},
		{"--" + evil},
		{"-" + evil},
		{"check", "--" + evil + "=1", "http://127.0.0.1/"},
		{"check", "--timeout", evil, "http://127.0.0.1/"},
		{"check", evil},
		{"check", "http://127.0.0.1:1/", "-H", evil},
		{"check", "http://127.0.0.1:1/", "--address", evil},
		{"check", "http://127.0.0.1:1/", "--ca", evil},
		{"check", "http://127.0.0.1:1/", "--request", evil + ".har#0"},
		{"parse", evil},
		{"judge", evil},
		{"explain", evil},
		{"capture", evil},
		{"capture", "-i", evil},
		{"capture", "--origin", evil, "a"},
		{"capture", "--html", evil + "/a", "a"},
		{"replay", evil, "--listen", "127.0.0.1:0"},
		{"replay", file(t, "a", ""), "--listen", evil},
		{"replay", file(t, "a", string(captured(t, "closed-by-origin"))), "--listen", "127.0.0.1:0", "--flow", evil},
		{"proxy", "--origin", evil, "--listen", "127.0.0.1:0"},
		{"proxy", "--config", evil},
		{"proxy", "--config", file(t, "a"+strings.ReplaceAll(evil, "/", ""), "")},
		{"proxy", "--config", file(t, "a", "origins:\n  - url: \"\\e[2J\\u202e\\r\\nwhy520: forged\"\n")},
		{"lab", "--listen", evil},
	} {
		r := why520(t, args...)
		assert.GreaterOrEqual(t, r.code, exitUsage, "%q", args)
		assert.NotEmpty(t, r.log, "%q", args)
		assert.NotRegexp(t, "[\x1b\r\u202e]|\nwhy520: forged", r.log+r.out, "%q", args)
	}
}
