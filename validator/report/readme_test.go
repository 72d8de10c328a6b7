package report_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/report"
)

var update = flag.Bool("update", false, "write what the tests expect")

const readme = "../../README.md"

// between gives the README's text between two comments, and replaces it where
// -update is set.
func between(t *testing.T, from, to, want string) string {
	t.Helper()
	content, err := os.ReadFile(readme)
	require.NoError(t, err)
	text := string(content)
	i, j := strings.Index(text, from), strings.Index(text, to)
	require.True(t, 0 <= i && i < j, "README.md has %s and %s", from, to)
	i += len(from)
	if *update {
		require.NoError(t, os.WriteFile(readme, []byte(text[:i]+want+text[j:]), 0o644))
		return want
	}
	return text[i:j]
}

func TestREADMEHasTheTableOfCauses(t *testing.T) {
	want := "\n" + report.CausesMarkdown()
	assert.Equal(t, want, between(t, "-run README -update -->", "<!-- /causes -->", want))
}

// The README's example is the body of validator's Example, which is run.
func TestREADMEHasTheExample(t *testing.T) {
	source, err := os.ReadFile("../example_test.go")
	require.NoError(t, err)
	body := regexp.MustCompile(`(?s)func Example\(\) \{\n(.*?)\n\t// Output`).FindStringSubmatch(string(source))
	require.Len(t, body, 2)
	_, code, found := strings.Cut(body[1], "defer o.Close()\n\n")
	require.True(t, found)
	code = strings.ReplaceAll(code, "o.URL()", `"http://192.0.2.10/"`)
	code = strings.ReplaceAll("\n"+code, "\n\t", "\n")
	want := "\n```go\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"log\"\n\n\t\"why520/validator\"\n)\n" + code + "\n```\n"
	assert.Equal(t, want, between(t, "<!-- example -->", "<!-- /example -->", want))
}
