package why520_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A rule says what the packages of a folder may import, or may not.
type rule struct {
	folder string         // with all below it; "": the whole tree
	except []string       // folders and patterns of files that it does not bind
	tests  bool           // test files are bound too
	never  *regexp.Regexp // nil: nothing
	only   *regexp.Regexp // nil: anything
	why    string
}

// module is the path of this module, as go.mod has it.
var module = func() string {
	content, err := os.ReadFile("go.mod")
	if err != nil {
		panic(err)
	}
	line, _, _ := strings.Cut(string(content), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "module"))
}()

// gopacket writes capture's files, and is what its decoder is held against.
const gopacket = `github\.com/google/gopacket(/.*)?`

// above matches the packages of this module that stand above these names, in
// scan <- wire <- validator <- the others <- cmd.
func above(names ...string) *regexp.Regexp {
	return regexp.MustCompile("^" + module + "/(" + strings.Join(names, "|") + ")(/.*)?$")
}

func exactly(paths string) *regexp.Regexp { return regexp.MustCompile(`^(` + paths + `)$`) }

// shaped are the files that a system, an instruction set or a package in C may
// shape: unsafe, assembly, cgo and build tags live here alone. The example of an
// event loop is one of Linux's.
var shaped = []string{
	"wire/internal/scan", "capture", "validator/tcpinfo_*.go", "validator/origintest/sockets_*.go",
	"wire/example_linux_test.go",
	"bench/peers/c.go", "bench/peers/llhttp.go",
}

var rules = []rule{
	{
		folder: "wire/internal/scan",
		only:   exactly(`unsafe|bytes|slices|math/bits|encoding/binary|internal/cpu|golang\.org/x/sys/cpu`),
		why:    "the kernel reads bytes and gives offsets: it is the bottom of the tree",
	},
	{
		folder: "wire", except: []string{"wire/internal/scan"},
		only: exactly(`bytes|cmp|errors|fmt|io|iter|math|math/bits|slices|strconv|strings|unicode/utf8|encoding/binary|` + module + "/wire/internal/scan"),
		why:  "wire is given an io.Reader: it knows no network, no clock and no format, so that any event loop can use it",
	},
	{
		folder: "validator", tests: true, never: exactly(module + "/capture(/.*)?|" + gopacket),
		why: "who has a net.Conn must not carry a packet decoder, not even in go.sum",
	},
	{
		folder: "validator", except: []string{"validator/report", "validator/har", "validator/edge", "validator/origintest"},
		never: above("validator/.+", "capture", "fuzz", "bench", "cmd", "contrib"),
		why:   "facts and verdicts come before what is made of them",
	},
	{
		folder: "validator", never: above("capture", "fuzz", "bench", "cmd", "contrib"),
		why: "imports run one way",
	},
	{
		folder: "capture", never: above("fuzz", "bench", "cmd", "contrib", `validator/.+`),
		why: "packets become the facts that validator judges; showing them is another's work",
	},
	{
		folder: "fuzz", never: exactly(`testing(/.*)?`),
		why: "fuzzing engines replace package testing",
	},
	{
		folder: "fuzz", tests: true, never: above("wire/internal", "cmd", "bench"),
		why: "its oracles serve other people's parsers: they see what others see",
	},
	{
		folder: "bench", tests: true, never: above("wire/internal", "cmd"),
		why: "its suites serve other people's parsers: they see what others see",
	},
	{
		folder: "", except: []string{"capture", "bench/peers"}, tests: true, never: exactly(gopacket),
		why: "swapping what writes packets is one package's work; to measure beside it is that of peers",
	},
	{
		folder: "", except: []string{"contrib/boltstore"}, tests: true, never: exactly(`go\.etcd\.io/bbolt(/.*)?`),
		why: "swapping the store on disk is one module's work",
	},
	{
		folder: "", except: shaped, tests: true, never: exactly("unsafe|C"),
		why: "memory is trusted to few: the kernel, the capture's ring, what asks the system about a socket, and peers in C",
	},
	{
		folder: "", except: []string{"cmd"}, tests: true, never: above("cmd"),
		why: "the command is the top of the tree",
	},
}

func TestPackagesImportOnlyWhatTheirRuleAllows(t *testing.T) {
	for _, f := range goFiles(t) {
		syntax, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, i := range syntax.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			require.NoError(t, err)
			for _, r := range rules {
				assert.False(t, r.binds(f) && r.forbids(imported), "%s imports %s, but %s", f, imported, r.why)
			}
		}
	}
}

func (r *rule) binds(file string) bool {
	return within(file, r.folder) && (r.tests || !ofATest(file)) && !anyOf(r.except, file)
}

func (r *rule) forbids(imported string) bool {
	return r.never != nil && r.never.MatchString(imported) || r.only != nil && !r.only.MatchString(imported)
}

func TestTheRulesRefuseWhatTheyAreFor(t *testing.T) {
	for _, c := range []struct{ file, imported string }{
		{"wire/head.go", "net"},
		{"wire/head.go", "time"},
		{"wire/head.go", "encoding/json"},
		{"wire/head.go", "why520/validator"},
		{"wire/internal/scan/scan.go", "why520/wire"},
		{"validator/judge.go", "github.com/google/gopacket/layers"},
		{"validator/judge_test.go", "why520/capture"},
		{"validator/judge.go", "why520/validator/report"},
		{"validator/report/text.go", "github.com/google/gopacket"},
		{"validator/edge/store.go", "go.etcd.io/bbolt"},
		{"fuzz/oracle.go", "testing"},
		{"fuzz/oracle_test.go", "why520/wire/internal/scan"},
		{"bench/cases.go", "why520/wire/internal/scan"},
		{"bench/peers/nethttp.go", "C"},
		{"validator/prober.go", "unsafe"},
		{"capture/tracker.go", "why520/cmd/why520"},
	} {
		refused := slices.ContainsFunc(rules, func(r rule) bool { return r.binds(c.file) && r.forbids(c.imported) })
		assert.True(t, refused, "%s may import %s", c.file, c.imported)
	}
	for _, c := range []struct{ file, imported string }{
		{"wire/head.go", "io"},
		{"wire/head.go", "why520/wire/internal/scan"},
		{"wire/head_test.go", "net/http"},
		{"validator/prober.go", "net"},
		{"validator/read_test.go", "why520/validator/origintest"},
		{"validator/origintest/origin.go", "why520/validator"},
		{"fuzz/oracle_test.go", "testing"},
		{"capture/tracker.go", "github.com/google/gopacket/layers"},
		{"bench/peers/c.go", "C"},
		{"cmd/why520/main.go", "why520/validator/report"},
	} {
		for _, r := range rules {
			assert.False(t, r.binds(c.file) && r.forbids(c.imported), "%s may not import %s: %s", c.file, c.imported, r.why)
		}
	}
}

func TestBuildTagsAndAssemblyLiveInFewFiles(t *testing.T) {
	ofASystem := regexp.MustCompile(`_(linux|darwin|windows|freebsd|unix|amd64|arm64)(_test)?\.go$`)
	for _, f := range tree(t, ".go", ".s") {
		if anyOf(shaped, f) {
			continue
		}
		assert.False(t, strings.HasSuffix(f, ".s"), "%s: assembly belongs in one of %q", f, shaped)
		assert.False(t, ofASystem.MatchString(f), "%s: a file of one system belongs in one of %q", f, shaped)
		if !strings.HasSuffix(f, ".go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ImportsOnly|parser.ParseComments)
		require.NoError(t, err)
		for _, g := range syntax.Comments {
			for _, c := range g.List {
				assert.False(t, strings.HasPrefix(c.Text, "//go:build"), "%s: a build tag belongs in one of %q", f, shaped)
			}
		}
	}
}

func TestErrorsOfTheNetworkBecomeFactsInOneFile(t *testing.T) {
	found := 0
	for _, f := range goFiles(t) {
		if path.Dir(f) != "validator" || ofATest(f) {
			continue
		}
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, f, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(syntax, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := selector.X.(*ast.Ident)
			if !ok || of.Name != "errors" || !slices.Contains([]string{"Is", "As", "AsType"}, selector.Sel.Name) {
				return true
			}
			found++
			assert.Equal(t, "validator/end.go", f, "%s: errors.%s: errors become facts in one file", set.Position(n.Pos()), selector.Sel.Name)
			return true
		})
	}
	assert.Positive(t, found, "the test looks where nothing is")
}

func ofATest(file string) bool { return strings.HasSuffix(file, "_test.go") }

// goFiles gives the Go files of the tree.
func goFiles(t *testing.T) []string {
	t.Helper()
	return tree(t, ".go")
}

// tree gives the files with these extensions below this folder, by paths with
// slashes. Hidden folders and testdata are left out, as go build does.
func tree(t *testing.T, extensions ...string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case !d.IsDir() && slices.Contains(extensions, path.Ext(p)):
			files = append(files, filepath.ToSlash(p))
		}
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// anyOf reports whether file lies in one of the folders, or matches one of the
// patterns.
func anyOf(places []string, file string) bool {
	return slices.ContainsFunc(places, func(place string) bool {
		matched, err := path.Match(place, file)
		return err == nil && matched || within(file, place)
	})
}

// within reports whether file lies in folder or below it; "" is the tree.
func within(file, folder string) bool { return folder == "" || strings.HasPrefix(file, folder+"/") }
