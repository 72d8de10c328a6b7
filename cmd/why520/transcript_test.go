package main

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/origintest"
)

var update = flag.Bool("update", false, "write what the command prints into testdata")

// The files of testdata/*.txt are what a person sees: a line "$ why520 ..." is a
// command, what follows is what it prints: standard output, then standard error
// behind "! ", then its exit status where that is not 0. An address written
// {NAME} is that of the lab's origin of this name. Lines "< FILE" before a
// command make FILE of the Go string literal that follows, or behind "capture:"
// of a flow of each of these classes of captest.
//
//	go test ./cmd/why520 -run Transcripts -update
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		file, err := filepath.Abs(file) // each runs in a folder of its own
		require.NoError(t, err)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			got := play(t, string(want))
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			assert.Equal(t, string(want), got)
		})
	}
}

// play runs the commands of a transcript and gives it with what they print now.
func play(t *testing.T, script string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	origins := map[string]string{} // address by {NAME}
	var now strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "# "):
			fmt.Fprintf(&now, "%s\n", line)
		case strings.HasPrefix(line, "< "):
			fmt.Fprintf(&now, "%s\n", line)
			name, encoded, _ := strings.Cut(line[2:], " ")
			require.NoError(t, os.WriteFile(name, content(t, encoded), 0o600))
		case strings.HasPrefix(line, "$ why520"):
			fmt.Fprintf(&now, "%s\n%s\n", line, shown(t, strings.TrimPrefix(line, "$ why520"), origins))
		}
	}
	return strings.TrimSuffix(now.String(), "\n")
}

// content reads a Go string literal, or base64 behind "base64:".
func content(t *testing.T, encoded string) []byte {
	t.Helper()
	if text, found := strings.CutPrefix(encoded, "base64:"); found {
		b, err := base64.StdEncoding.DecodeString(text)
		require.NoError(t, err)
		return b
	}
	if classes, found := strings.CutPrefix(encoded, "capture:"); found {
		return captured(t, strings.Split(classes, ",")...)
	}
	var text string
	_, err := fmt.Sscanf(encoded, "%q", &text)
	require.NoError(t, err, encoded)
	return []byte(text)
}

var (
	placeholder = regexp.MustCompile(`\{[a-z0-9/-]+\}`)
	volatile    = []struct {
		pattern *regexp.Regexp
		with    string
	}{
		{regexp.MustCompile(`(?m)^  time  .*\n(        \S.*\n)*`), "  time  ...\n"},
		{regexp.MustCompile(`"timing":\{[^}]*\}`), `"timing":{...}`},
		{regexp.MustCompile(`"id":"[0-9a-f]{16}"`), `"id":"..."`},
		{regexp.MustCompile(`127\.0\.0\.1:[0-9]{5}\b`), "127.0.0.1:CCCCC"}, // our own
		{regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "YYYY-MM-DDThh:mm:ssZ"},
		{regexp.MustCompile(`(connected from .* in) .*`), "$1 ..."},
	}
)

// shown runs the command with the arguments of line, and gives what it prints.
func shown(t *testing.T, line string, origins map[string]string) string {
	t.Helper()
	for _, name := range placeholder.FindAllString(line, -1) {
		if origins[name] == "" {
			origins[name] = origintest.Start(t, strings.Trim(name, "{}")).Addr()
		}
	}
	var back []string
	for name, address := range origins {
		line = strings.ReplaceAll(line, name, address)
		back = append(back, address, "127.0.0.1:PPPPP")
	}
	var out, log bytes.Buffer
	code := run(t.Context(), arguments(line), strings.NewReader("HTTP/1.1 200 OK\r\n\r\nstandard input"), &out, &log)
	text := out.String()
	for _, line := range strings.SplitAfter(log.String(), "\n") {
		if line != "" {
			text += "! " + line
		}
	}
	if code != 0 {
		text += fmt.Sprintf("exit status %d\n", code)
	}
	text = strings.NewReplacer(back...).Replace(text)
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.with)
	}
	return text
}

// arguments splits a line as a shell does that knows single quotes only.
func arguments(line string) []string {
	var all []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}
