// Command corpus commits what fuzzing found: go run ./.ci/corpus PACKAGE TARGET...
// takes the inputs that go test -fuzz keeps in its cache, and those committed
// already, and leaves in testdata/fuzz the few that together do what all of them
// do: run each statement once, twice or more often.
package main

import (
	"bufio"
	"fmt"
	"log"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: corpus PACKAGE TARGET...")
	}
	for _, target := range os.Args[2:] {
		if err := minimise(os.Args[1], target); err != nil {
			log.Fatalf("%s: %v", target, err)
		}
	}
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	return strings.TrimSpace(string(out)), err
}

func minimise(pkg, target string) error {
	dir, err := output("go", "list", "-f", "{{.Dir}}", pkg)
	if err != nil {
		return err
	}
	path, err := output("go", "list", pkg)
	if err != nil {
		return err
	}
	cache, err := output("go", "env", "GOCACHE")
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "corpus")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	binary := filepath.Join(work, "test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "-cover", "-covermode=count", "-coverpkg=./...", pkg).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	committed := filepath.Join(dir, "testdata", "fuzz", target)
	var files []string
	for _, folder := range []string{committed, filepath.Join(cache, "fuzz", path, target)} {
		found, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	inputs := map[string][]byte{} // by name
	for _, f := range files {
		if inputs[filepath.Base(f)], err = os.ReadFile(f); err != nil {
			return err
		}
	}
	// The binary looks for its corpus in the folder that it runs in.
	folder := filepath.Join(work, "testdata", "fuzz", target)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var names []string
	for name, content := range inputs {
		names = append(names, name)
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	slices.SortFunc(names, func(a, b string) int { // the smallest first
		if d := len(inputs[a]) - len(inputs[b]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	reached, err := features(work, binary, "^"+target+"$/^seed#")
	if err != nil {
		return err
	}
	var kept []string
	for _, name := range names {
		own, err := features(work, binary, "^"+target+"$/^"+name+"$")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fresh := false
		for f := range own {
			fresh = fresh || !reached[f]
			reached[f] = true
		}
		if fresh {
			kept = append(kept, name)
		}
	}
	if err := os.RemoveAll(committed); err != nil {
		return err
	}
	if err := os.MkdirAll(committed, 0o755); err != nil {
		return err
	}
	for _, name := range kept {
		if err := os.WriteFile(filepath.Join(committed, name), inputs[name], 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%s: %d of %d inputs kept\n", target, len(kept), len(names))
	return nil
}

// features gives what the tests of a pattern reach: "block:magnitude".
func features(work, binary, pattern string) (map[string]bool, error) {
	profile := filepath.Join(work, "profile")
	c := exec.Command(binary, "-test.run", pattern, "-test.coverprofile", profile)
	c.Dir = work
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	f, err := os.Open(profile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		block, count, found := strings.Cut(lines.Text(), " ")
		if !found || strings.HasPrefix(block, "mode:") {
			continue
		}
		_, count, _ = strings.Cut(count, " ")
		if n, err := strconv.ParseUint(count, 10, 64); err == nil && n > 0 {
			all[block+":"+strconv.Itoa(min(bits.Len64(n), 3))] = true
		}
	}
	return all, nil
}
