package capture_test

import (
	"os"
	"testing"
)

// missing skips the test for want of what the machine has not, save where all
// must run.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("WHY520_CI") != "" {
		t.Fatalf("%s, and WHY520_CI is set", what)
	}
	t.Skipf("%s: skipped", what)
}
