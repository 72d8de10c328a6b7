package edge_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"why520/validator"
	"why520/validator/edge"
	"why520/wire"

	"github.com/stretchr/testify/require"
)

// missing skips a test for want of something; where WHY520_CI is set, it fails.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("WHY520_CI") != "" {
		t.Fatalf("%s, and WHY520_CI is set", what)
	}
	t.Skipf("%s: skipped", what)
}

// The pages in a browser, light and dark, on a phone, at 200 % zoom and of text, without
// JavaScript: testdata/browse.js says what must hold. WHY520_NODE_MODULES is the
// folder that has playwright-core and axe-core; WHY520_SHOTS one to put pictures
// of the pages in.
func TestPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("it opens some fifty pages: skipped with -short")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium is not installed")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed")
	}
	modules := os.Getenv("WHY520_NODE_MODULES")
	for _, name := range []string{"playwright-core", "axe-core"} {
		if _, err := os.Stat(filepath.Join(modules, name)); err != nil || modules == "" {
			missing(t, "WHY520_NODE_MODULES has no "+name)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		answers := edge.Answers{Contact: q.Get("contact")}
		if q.Has("details") {
			answers.Details = everybody
		}
		var failed error = &validator.LocalError{Doing: "dialling " + secretAddress, Err: errors.New(secretBytes)}
		switch reason, ok := wire.ReasonByToken(q.Get("reason")); {
		case ok:
			failed = sample(reason)
		case q.Has("content"):
			failed = &validator.ContentError{Err: errors.New(secretBytes)}
		case q.Has("line"):
			failed = &validator.LocalError{Doing: "waiting for " + secretAddress, Err: validator.ErrConnectionLimit}
		}
		answers.ErrorHandler(w, r, failed)
	}))
	defer server.Close()
	c := exec.CommandContext(t.Context(), node, "testdata/browse.js", chromium, server.URL, os.Getenv("WHY520_SHOTS"))
	c.Env = append(os.Environ(), "NODE_PATH="+modules)
	out, err := c.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}
