package fuzz_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/wire"
)

var update = flag.Bool("update", false, "write STRICTNESS.md")

// table reads a TSV file: its rows without the first, each of so many cells at
// most.
func table(t *testing.T, name string, cells int) [][]string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	var rows [][]string
	for i, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		row := strings.Split(line, "\t")
		require.LessOrEqual(t, len(row), cells, "%s:%d", name, i+1)
		rows = append(rows, slices.Concat(row, make([]string, cells-len(row))))
	}
	require.Greater(t, len(rows), 1, name)
	return rows
}

// withoutVector has the sections of RFC 9112, from 2 to 11, that require nothing
// of who receives a response's bytes.
var withoutVector = map[string]string{
	"3": "request lines", "7.3": "a registry", "7.4": "a field of requests", "9": "an introduction", "9.1": "connections",
	"9.3.1": "retries: package validator", "9.3.2": "requests in a row", "9.4": "numbers of connections", "9.6": "closing: package validator",
	"9.7": "TLS: package validator", "9.8": "TLS: the origins tls-truncated and body-short/tls", "10": "media types", "10.1": "a media type", "10.2": "a media type",
	"11": "an introduction", "11.3": "advice", "11.4": "advice",
}

var sections9112 = strings.Fields("2.1 2.2 2.3 3 4 5 5.1 5.2 6 6.1 6.2 6.3 7 7.1 7.1.1 7.1.2 7.1.3 7.2 7.3 7.4 8 9 9.1 9.2 9.3 9.3.1 9.3.2 9.4 9.5 9.6 9.7 9.8 10 10.1 10.2 11 11.1 11.2 11.3 11.4")

func TestEveryRequirementHasAVector(t *testing.T) {
	vectors := map[string]bool{}
	for _, v := range fuzz.Vectors() {
		vectors[v.Name] = true
		assert.Regexp(t, `^(RFC [0-9]{4} section [0-9.]+)?$`, v.RFC, v.Name)
	}
	sections := map[string]bool{}
	for _, row := range table(t, "requirements.tsv", 3)[1:] {
		sections[row[0]] = true
		names := strings.Fields(row[2])
		assert.NotEmpty(t, names, "%s: %s has no vector", row[0], row[1])
		for _, name := range names {
			assert.True(t, vectors[name], "%s: %s names a vector %s that is not there", row[0], row[1], name)
		}
	}
	for _, s := range sections9112 {
		_, excused := withoutVector[s]
		assert.NotEqual(t, excused, sections["RFC 9112 section "+s], "RFC 9112 section %s: has a requirement, or a reason why not", s)
	}
	for _, row := range table(t, "errata.tsv", 6)[1:] {
		for _, name := range strings.Fields(row[5]) {
			assert.True(t, vectors[name], "erratum %s names a vector %s that is not there", row[0], name)
		}
	}
}

// accepts matches what a peer does with a fault when it passes it on: as success,
// cut or misread, or malformed.
var accepts = regexp.MustCompile(`(^|/)[SPW](/|$)`)

// strictness makes STRICTNESS.md.
func strictness(t *testing.T) string {
	var b strings.Builder
	b.WriteString("# How strict, and why\n\nMade by `go test ./fuzz -run Strictness -update` from requirements.tsv, errata.tsv and peers.tsv.\n")
	fmt.Fprintf(&b, "\n## Requirements on a recipient of responses\n\nEach has its vectors, of %d in all (`vectors/`).\n\n| section | requirement, in our words | vectors |\n|---|---|---|\n", len(fuzz.Vectors()))
	for _, row := range table(t, "requirements.tsv", 3)[1:] {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", row[0], row[1], row[2])
	}
	b.WriteString("\n## Errata\n\nOf RFC 9112, RFC 9110 and, where they are in these now, RFC 7230. RFC 9112 has one more rejected record.\n\n| erratum | of | status | what it says | here |\n|---|---|---|---|---|\n")
	for _, row := range table(t, "errata.tsv", 6)[1:] {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", row[0], row[1], row[2], row[3], row[4])
	}
	peers := table(t, "peers.tsv", 19)
	b.WriteString("\n## What it refuses that others accept\n\nEach fault was put before 18 builds. Listed are those that passed it on as success, cut or misread,\nor as malformed bytes; some of them in some variants of the fault only. A body that is cut is refused\nhere, too, but a client that streams has seen its head by then.\n\n| reason | of 18 | accepted by |\n|---|---|---|\n")
	by := map[string][]string{}
	for _, row := range peers[1:] {
		r, known := wire.ReasonByToken(row[0])
		if known && r.Info().Note || row[0] == "reused-connection-was-dead" { // to ask again is right
			continue
		}
		for i, does := range row[1:] {
			if accepts.MatchString(does) {
				by[row[0]] = append(by[row[0]], peers[0][1+i])
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(by[b]), len(by[a])), strings.Compare(a, b))
	})
	for _, reason := range order {
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", reason, len(by[reason]), strings.Join(by[reason], ", "))
	}
	return b.String()
}

func TestStrictnessIsWrittenDown(t *testing.T) {
	want := strictness(t)
	if *update {
		require.NoError(t, os.WriteFile("STRICTNESS.md", []byte(want), 0o644))
	}
	got, err := os.ReadFile("STRICTNESS.md")
	require.NoError(t, err)
	assert.Equal(t, want, string(got))
}
