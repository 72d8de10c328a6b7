package main

import (
	"encoding/xml"
	"errors"
	unescape "html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// page gives what capture --html writes on a trace.
func page(t *testing.T, name string, trace []byte, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	source, to := filepath.Join(dir, name), filepath.Join(dir, "page.html")
	require.NoError(t, os.WriteFile(source, trace, 0o600))
	r := why520(t, append([]string{"capture", source, "--html", to}, args...)...)
	require.Equal(t, exitNotOK, r.code, r.log)
	content, err := os.ReadFile(to)
	require.NoError(t, err)
	return string(content)
}

// The page is well-formed, needs nothing from elsewhere, and shows each flow
// that is refused with its packets.
func TestPageOfSequences(t *testing.T) {
	html := page(t, `<b>&"'.pcapng`, captured(t))
	d := xml.NewDecoder(strings.NewReader(html))
	d.Entity = xml.HTMLEntity
	elements := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			elements[e.Name.Local]++
		}
	}
	refused := strings.Count(why520(t, "capture", "--json", file(t, "a", string(captured(t)))).out, "\n")
	require.Greater(t, refused, 50)
	assert.Equal(t, refused, elements["section"])
	assert.Equal(t, refused, elements["svg"])
	assert.Zero(t, elements["b"]+elements["script"]+elements["img"]+elements["link"])
	assert.NotRegexp(t, regexp.MustCompile(`(?i)(src|href)=|url\(|@import|https?://`), html)
	assert.Contains(t, html, "prefers-color-scheme: dark")
	assert.Contains(t, html, "&lt;b&gt;&amp;")
}

func TestDiagramOfAFlow(t *testing.T) {
	html := unescape.UnescapeString(page(t, "a", captured(t, "reset-in-head", "injected-after-request")))
	assert.Contains(t, html, `<h2 class="bad">520 head-reset</h2>`)
	assert.Regexp(t, `<g class="syn">.*?\+0 us</text>.*>SYN <tspan class="faint">seq 0</tspan>`, html)
	assert.Regexp(t, `<g class="data">.*PSH\+ACK, 65 bytes <tspan class="faint">seq 1 ack 1</tspan>`, html)
	assert.Regexp(t, `<g class="rst">.*RST\+ACK`, html)
	assert.Regexp(t, `<g class="rst forged">`, html)
	assert.Contains(t, page(t, "a", captured(t, "first-byte-timeout")), "20.0 s of silence")
	assert.Regexp(t, `>\d+ packets more, within \d`, page(t, "a", captured(t, "large-window"), "--all", "--budget", "20"))
}

func TestPageThatCannotBeWritten(t *testing.T) {
	trace := file(t, "a", string(captured(t, "reset-in-head")))
	r := why520(t, "capture", trace, "--html", "none/page.html")
	assert.Equal(t, exitNotAsk, r.code)
	assert.Empty(t, r.out)
	if _, err := os.Stat("/dev/full"); err == nil {
		r = why520(t, "capture", trace, "--html", "/dev/full")
		assert.Equal(t, exitNotAsk, r.code)
		assert.Contains(t, r.log, "writing the page")
	}
}
