package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// copied is the path of the module that the copies are in.
const copied = "gotests.test"

// prepare copies and rewrites the suite into dir. It gives its tests, and those
// that do not compile.
func (s *suite) prepare(dir string) (tests, dropped []string, err error) {
	root, err := filepath.Abs(".")
	if err != nil {
		return nil, nil, err
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, nil, err
	}
	source := filepath.Join(strings.TrimSpace(string(out)), "src")
	if err := module(dir, root); err != nil {
		return nil, nil, err
	}
	for _, folder := range s.needs {
		if err := copyFolder(filepath.Join(source, folder), filepath.Join(dir, open(folder))); err != nil {
			return nil, nil, err
		}
	}
	for path, text := range stubs {
		to := filepath.Join(dir, open(path))
		if err := os.MkdirAll(to, 0o700); err != nil {
			return nil, nil, err
		}
		if err := os.WriteFile(filepath.Join(to, "stub.go"), []byte(text), 0o600); err != nil {
			return nil, nil, err
		}
	}
	to := filepath.Join(dir, s.folder)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return nil, nil, err
	}
	entries, err := os.ReadDir(filepath.Join(source, s.folder))
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && s.copies(name) {
			if err := s.rewrite(filepath.Join(source, s.folder, name), filepath.Join(to, name)); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := os.WriteFile(filepath.Join(to, "shim_test.go"), []byte(s.shim), 0o600); err != nil {
		return nil, nil, err
	}
	all, err := s.list(to)
	if err != nil {
		return nil, nil, err
	}
	if err := settle(to); err != nil {
		return nil, nil, err
	}
	if tests, err = s.list(to); err != nil {
		return nil, nil, err
	}
	dropped = slices.DeleteFunc(all, func(t string) bool { return slices.Contains(tests, t) })
	return tests, dropped, nil
}

// open gives a path that others may import.
func open(path string) string { return strings.ReplaceAll(path, "internal", "opened") }

// module writes go.mod and go.sum, with this module in the place that root is.
func module(dir, root string) error {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	name := strings.TrimSpace(strings.TrimPrefix(strings.SplitN(string(mod), "\n", 2)[0], "module"))
	text := regexp.MustCompile(`(?m)^module .*`).ReplaceAllString(string(mod), "module "+copied)
	text += fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", name, name, root)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600); err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600)
}

func copyFolder(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// rewrite copies a file with our Transport in it; one of the package under test
// itself, which tests what is internal to it, is left out.
func (s *suite) rewrite(from, to string) error {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, from, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if f.Name.Name == "http" {
		return nil
	}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		switch {
		case path == "internal/synctest":
			i.Path.Value = strconv.Quote("testing/synctest")
		case slices.Contains(s.needs, path) || stubs[path] != "":
			i.Path.Value = strconv.Quote(copied + "/" + open(path))
		}
	}
	r := replacer{dot: slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Name != nil && i.Name.Name == "." })}
	if filepath.Base(from) != "dump.go" { // which has a use for what is special to http.Transport
		ast.Inspect(f, r.replace)
	}
	if r.used {
		addImport(f, copied+"/ours")
	}
	var b bytes.Buffer
	if err := format.Node(&b, set, f); err != nil {
		return err
	}
	return os.WriteFile(to, b.Bytes(), 0o600)
}

// A replacer puts our Transport, the default one, and clients with ours, in their
// places; package ours and the shim have them.
type replacer struct {
	dot  bool // the file imports net/http as part of itself
	used bool // package ours
}

// elsewhere are names of package http that package ours has.
var elsewhere = []string{"Transport", "DefaultTransport", "DefaultClient", "CondSkipHTTP2", "MaxWriteWaitBeforeConnReuse"}

func (r *replacer) replace(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Recv != nil {
			ast.Inspect(n.Type, r.replace)
			if n.Body != nil {
				ast.Inspect(n.Body, r.replace)
			}
			return false // its name is a method's
		}
	case *ast.BlockStmt:
		n.List = slices.DeleteFunc(n.List, forUnencryptedHTTP2)
	case *ast.TypeAssertExpr:
		if x, ok := n.X.(*ast.SelectorExpr); ok && x.Sel.Name == "Transport" && !r.dot { // of a client that is not under test
			ast.Inspect(n.X, r.replace)
			return false
		}
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "http" && slices.Contains(elsewhere, n.Sel.Name) {
			x.Name, r.used = "ours", true
			return false
		}
		ast.Inspect(n.X, r.replace)
		return false // n.Sel is a field's or a method's name
	case *ast.KeyValueExpr:
		ast.Inspect(n.Value, r.replace)
		if _, ok := n.Key.(*ast.Ident); !ok {
			ast.Inspect(n.Key, r.replace)
		}
		return false
	case *ast.Field:
		ast.Inspect(n.Type, r.replace)
		return false
	case *ast.CallExpr:
		if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Client" && len(n.Args) == 0 {
			inner := *n
			*n = ast.CallExpr{Fun: ast.NewIdent("oursClient"), Args: []ast.Expr{&inner}, Lparen: inner.Lparen, Rparen: inner.Rparen}
			ast.Inspect(s.X, r.replace)
			return false
		}
	case *ast.Ident:
		switch n.Name {
		case "Transport", "DefaultTransport", "DefaultClient", "Get", "Head", "Post", "PostForm":
			if r.dot {
				n.Name = "ours" + n.Name
			}
		}
	}
	return true
}

// forUnencryptedHTTP2 reports whether s is a branch for a mode that is not tested.
func forUnencryptedHTTP2(s ast.Stmt) bool {
	branch, ok := s.(*ast.IfStmt)
	if !ok || branch.Else != nil {
		return false
	}
	c, ok := branch.Cond.(*ast.BinaryExpr)
	if !ok {
		return false
	}
	y, ok := c.Y.(*ast.Ident)
	return ok && c.Op == token.EQL && y.Name == "http2UnencryptedMode"
}

// addImport adds an import to f.
func addImport(f *ast.File, path string) {
	spec := &ast.ImportSpec{Path: &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(path)}}
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT && g.Lparen.IsValid() {
			g.Specs = append(g.Specs, spec)
			return
		}
	}
}

// list gives the tests of the files that count.
func (s *suite) list(dir string) ([]string, error) {
	var tests []string
	for _, name := range s.counts {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && strings.HasPrefix(d.Name.Name, "Test") && d.Name.Name != "TestMain" {
				tests = append(tests, d.Name.Name)
			}
		}
	}
	return tests, nil
}

var compileError = regexp.MustCompile(`(?m)^\s*(?:vet: )?(?:\./)?([a-z_0-9]+_test\.go):(\d+):\d+: (.*)$`)

// settle takes out of the files in dir what does not compile, until all does.
func settle(dir string) error {
	for range 40 {
		out, err := goCommand(dir, "test", "-vet=off", "-gcflags=-e", "-run", "^$", ".")
		if err == nil {
			return nil
		}
		lines := map[string][]int{}
		for _, m := range compileError.FindAllStringSubmatch(string(out), -1) {
			n, _ := strconv.Atoi(m[2])
			lines[m[1]] = append(lines[m[1]], n)
			if *verbose {
				fmt.Println(m[0])
			}
		}
		if len(lines) == 0 {
			return fmt.Errorf("%w\n%.2000s", err, out)
		}
		for name, at := range lines {
			if name == "shim_test.go" {
				return fmt.Errorf("the shim does not compile:\n%.2000s", out)
			}
			if err := without(filepath.Join(dir, name), at); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("it does not compile after 40 rounds")
}

// without takes the declarations and imports that these lines are in out of a
// file.
func without(file string, lines []int) error {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	cut := func(n ast.Node) bool {
		from, to := set.Position(n.Pos()), set.Position(n.End())
		if !slices.ContainsFunc(lines, func(l int) bool { return from.Line <= l && l <= to.Line }) {
			return false
		}
		for i := from.Offset; i < to.Offset; i++ {
			if text[i] != '\n' {
				text[i] = ' '
			}
		}
		return true
	}
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && (g.Tok == token.IMPORT || g.Lparen.IsValid()) {
			for _, spec := range g.Specs {
				cut(spec)
			}
			continue
		}
		cut(d)
	}
	return os.WriteFile(file, text, 0o600)
}
