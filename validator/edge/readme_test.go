package edge_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The README's proxy is Example_proxy as a program, in 30 lines at most.
func TestREADMEHasTheProxy(t *testing.T) {
	source, err := os.ReadFile("example_proxy_test.go")
	require.NoError(t, err)
	program := strings.NewReplacer("package edge_test", "package main", "Example_proxy", "main").Replace(string(source))
	assert.LessOrEqual(t, strings.Count(program, "\n"), 30)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), "```go\n"+program+"```\n")
}
