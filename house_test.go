package why520_test

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goCommand runs go in dir, outside every workspace, and gives what it printed.
func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "go %s: %s", strings.Join(args, " "), out)
	return string(out)
}

func TestTheRootModuleRequiresFourModulesAtMost(t *testing.T) {
	allowed := []string{
		"golang.org/x/net", "golang.org/x/sys", // what the standard library leaves out
		"github.com/google/gopacket",  // capture writes files with it, and its decoder is held against it
		"github.com/stretchr/testify", // tests
	}
	var mod struct {
		Module  struct{ Path string }
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(goCommand(t, ".", "mod", "edit", "-json")), &mod))
	require.Equal(t, module, mod.Module.Path)
	for _, r := range mod.Require {
		if !r.Indirect {
			assert.Contains(t, allowed, r.Path)
		}
	}
}

func TestAnotherModuleCarriesNoPacketDecoderAndNoCommand(t *testing.T) {
	root, err := filepath.Abs(".")
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("go.mod", "module example.test/proxy\n\ngo 1.26.0\n\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+root+"\n")
	write("main.go", `package main

import (
	"context"
	"fmt"

	"why520/validator"
	"why520/wire"
)

func main() {
	var p validator.Prober
	e, err := p.Probe(context.Background(), validator.Target{URL: "http://127.0.0.1:9/"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(validator.Judge(e, nil).Reason == wire.OK)
}
`)
	goCommand(t, dir, "mod", "tidy")
	goCommand(t, dir, "build", "-o", filepath.Join(dir, "proxy"), ".")
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	require.NoError(t, err)
	for what, names := range map[string]string{
		"go.sum":        string(sums),
		"go list -deps": goCommand(t, dir, "list", "-deps", "."),
	} {
		for _, unwanted := range []string{"gopacket", "cobra", "pflag", module + "/cmd", module + "/capture"} {
			assert.NotContains(t, names, unwanted, what)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		if ofATest(f) {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.PackageClauseOnly|parser.ParseComments)
		require.NoError(t, err)
		folder := path.Dir(f)
		documented[folder] = documented[folder] || strings.TrimSpace(syntax.Doc.Text()) != ""
	}
	require.NotEmpty(t, documented)
	for folder, has := range documented {
		assert.True(t, has, "%s has no package comment", folder)
	}
}

// The README's command that gives the module another path leaves a module that
// builds.
func TestREADMERenamesTheModule(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds all packages anew: skipped with -short")
	}
	for _, needed := range []string{"git", "sed", "sh"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("%s is not installed: skipped", needed)
		}
	}
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var rename string
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "git grep ") {
			rename = line
		}
	}
	require.NotEmpty(t, rename)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(".")))
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "cd '"+dir+"' && rm -rf .git && git init -q && git add -A && "+rename).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, f := range []string{"go.mod", "cmd/go.mod"} {
		text, err := os.ReadFile(filepath.Join(dir, f))
		require.NoError(t, err)
		assert.Contains(t, string(text), "module example.org/why520")
	}
	c := exec.CommandContext(t.Context(), "go", "build", "./...", "./cmd/...")
	c.Dir = dir
	out, err = c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	c = exec.CommandContext(t.Context(), "go", "vet", "./...", "./cmd/...")
	c.Dir = dir
	out, err = c.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
