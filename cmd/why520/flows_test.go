package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/wire"
)

// Counts of any size fit the terminal.
func TestSummaryFitsATerminal(t *testing.T) {
	l := &flowList{
		a: &app{width: 80}, reasons: map[wire.Reason]int{wire.ResetAfterRequest: 12345}, drops: 1234567890,
		stats: capture.Stats{Faulty: 23456, Unsure: 123456789, Flows: 1234567, Packets: 123456789, Broken: 123456789, Missed: 123456789, Evicted: 1234567890},
	}
	for line := range strings.Lines(l.summary()) {
		line = strings.TrimSuffix(line, "\n")
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
	}
}

// Of flows that may be refused, the summary says how many there are, also where
// they are not printed.
func TestOpenVerdictsAreCounted(t *testing.T) {
	trace := file(t, "trace", string(captured(t, "tls13-reset-behind-a-ticket-or-an-answer")))
	r := why520(t, "capture", trace)
	assert.Contains(t, r.out, "1 flow may be one besides: the verdict is open")
	assert.NotContains(t, r.out, "tls-reset-after-handshake")
	all := why520(t, "capture", "--all", trace)
	assert.Contains(t, all.out, "tls-reset-after-handshake")
}

// Names of files are shown without what a terminal would obey.
func TestNamesOfFilesAreEscaped(t *testing.T) {
	const hostile, shown = "a\x1b]0;owned\a\nok\u202e.pcap", `a\x1b]0;owned\a\nok\u202e.pcap`
	trace := captured(t, "closed-in-content")
	cut := file(t, hostile, string(trace[:len(trace)*3/4]))
	other := file(t, "\x1b[31m.pcap", "no capture")
	absent := filepath.Join(t.TempDir(), hostile)
	to := filepath.Join(t.TempDir(), "page.html")
	r := why520(t, "capture", "--all", "--html", to, cut, other, absent)
	assert.Contains(t, r.out, shown+":\n")
	assert.Contains(t, r.log, shown+": note: the file ends within a packet")
	assert.Contains(t, r.log, `\x1b[31m.pcap: no capture`)
	assert.Contains(t, r.log, shown+": no such file")
	html, err := os.ReadFile(to)
	require.NoError(t, err)
	assert.Contains(t, string(html), shown)
	p := why520(t, "parse", file(t, hostile, ""), absent)
	assert.Contains(t, p.out, shown+":\n")
	for _, text := range []string{r.out, r.log, string(html), p.out, p.log} {
		assert.NotRegexp(t, "[\x00-\x08\x0b-\x1f\x7f\u202e]", text)
	}
}

// What was read before an interruption counts, on the page too.
func TestAnInterruptedCaptureHasAPage(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	to := filepath.Join(t.TempDir(), "page.html")
	var out, log bytes.Buffer
	trace := file(t, "a", string(captured(t)))
	code := run(ctx, []string{"capture", "--html", to, trace, trace}, strings.NewReader(""), &out, &log)
	assert.Equal(t, exitNotAsk, code)
	assert.Equal(t, 1, strings.Count(log.String(), "what came before counts"), log.String())
	html, err := os.ReadFile(to)
	require.NoError(t, err)
	assert.Contains(t, string(html), "</html>")
}
