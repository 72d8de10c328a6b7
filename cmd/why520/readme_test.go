package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/origintest"
)

// The README shows what the command prints, save for its timings, and names the
// port that the lab has for it.
func TestREADMEHasATranscript(t *testing.T) {
	const fault, port = "head-too-large", 5284
	content, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	parts := regexp.MustCompile("(?s)<!-- transcript -->\n```\n\\$ (go run ./cmd/why520 )([^\n]*)\n(.*?)```\n<!-- /transcript -->").FindSubmatch(content)
	require.Len(t, parts, 4)
	at := slices.IndexFunc(origintest.Faults(), func(f origintest.Fault) bool { return f.Name == fault })
	assert.Equal(t, port, 5200+at, "the lab's port of %s", fault)

	o := origintest.Start(t, fault)
	r := why520(t, strings.Fields(strings.ReplaceAll(string(parts[2]), "127.0.0.1:5284", o.Addr()))...)
	timeless := func(s string) string { return volatile[0].pattern.ReplaceAllString(s, volatile[0].with) }
	assert.Equal(t, timeless(string(parts[3])), timeless(strings.ReplaceAll(r.out, o.Addr(), "127.0.0.1:5284")))
}
