package why520_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"why520/validator/origintest"
)

// caddy is the command, built from cmd/caddy.
var caddy string

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // tests wait for deadlines mostly
		panic(err)
	}
	dir, err := os.MkdirTemp("", "why520-caddy")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	caddy = filepath.Join(dir, "caddy")
	out, err := exec.Command("go", "build", "-o", caddy, "./cmd/caddy").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "building caddy: %v\n%s", err, out)
		os.Exit(1)
	}
	code := origintest.Run(m)
	os.RemoveAll(dir)
	os.Exit(code)
}
