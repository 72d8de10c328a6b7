// Command mutate plants the bugs of mutations.txt, one at a time, and shows which test finds each: go run ./.ci/mutate [NAME...]. The tree stays
// as it is; a bug that no test finds makes it exit 1.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A mutation is a bug: in file, the only occurrence of old becomes new.
type mutation struct{ name, file, old, new string }

func main() {
	log.SetFlags(0)
	all, err := load(".ci/mutate/mutations.txt")
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		log.Fatal(err)
	}
	if len(os.Args) > 1 {
		all = slices.DeleteFunc(all, func(m mutation) bool { return !slices.Contains(os.Args[1:], m.name) })
	}
	for _, m := range all { // before the first is tried, which takes minutes
		if _, err := m.plant(); err != nil {
			log.Fatalf("%s: %v", m.name, err)
		}
	}
	var (
		start    = time.Now()
		survived = 0
		turn     sync.Mutex
		workers  sync.WaitGroup
		next     = make(chan mutation)
	)
	for i := range 2 {
		workers.Go(func() {
			own := filepath.Join(dir, strconv.Itoa(i))
			for m := range next {
				killer, err := m.try(own)
				if err != nil {
					log.Fatalf("%s: %v", m.name, err)
				}
				turn.Lock()
				if killer == "" {
					survived++
					killer = "SURVIVED"
				}
				fmt.Printf("%-44s %-22s %s\n", m.name, m.file, killer)
				turn.Unlock()
			}
		})
	}
	for _, m := range all {
		next <- m
	}
	close(next)
	workers.Wait()
	_ = os.RemoveAll(dir)
	fmt.Printf("%d of %d found, %.0f s\n", len(all)-survived, len(all), time.Since(start).Seconds())
	if survived > 0 || len(all) == 0 {
		os.Exit(1)
	}
}

// escapes are those of mutations.txt, where old and new are one line each.
var escapes = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t")

// load reads mutations: a line "# name", the file, then lines "-old" and "+new".
func load(name string) ([]mutation, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []mutation
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "# "):
			all = append(all, mutation{name: line[2:]})
		case line == "" || len(all) == 0:
		case line[0] == '-':
			all[len(all)-1].old = escapes.Replace(line[1:])
		case line[0] == '+':
			all[len(all)-1].new = escapes.Replace(line[1:])
		default:
			all[len(all)-1].file = line
		}
	}
	return all, nil
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: ([^ ]+)|^(?:panic|fatal error|signal): (.*)|^(.*\.go:\d+:\d+: .*)$`)

// plant gives the text of the file with the bug.
func (m mutation) plant() ([]byte, error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return nil, fmt.Errorf("%q is %d times in %s: want once", m.old, n, m.file)
	}
	return []byte(strings.Replace(string(text), m.old, m.new, 1)), nil
}

// try gives the first test that fails with the bug, or nothing.
func (m mutation) try(dir string) (killer string, err error) {
	file, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	text, err := m.plant()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	planted := filepath.Join(dir, "planted.go")
	if err := os.WriteFile(planted, text, 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: planted}})
	if err != nil {
		return "", err
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return "", err
	}
	tests := []string{"./wire", "./fuzz"}
	switch {
	case strings.HasPrefix(m.file, "wire/internal/scan/"):
		tests = []string{"./wire/internal/scan", "./wire"}
	case strings.HasPrefix(m.file, "validator/edge/"):
		tests = []string{"./validator/edge"}
	}
	for _, of := range tests {
		if killer, err = run(overlayFile, of); killer != "" || err != nil {
			return killer, err
		}
	}
	return "", nil
}

// run gives the first test of a package that fails with the overlay, or nothing.
func run(overlay, of string) (killer string, err error) {
	out, err := exec.Command("go", "test", "-overlay", overlay, "-vet=off", "-short", "-failfast", "-timeout", "90s", of).CombinedOutput()
	if err == nil {
		return "", nil
	}
	all := failed.FindAllStringSubmatch(string(out), -1)
	if all == nil {
		return "", fmt.Errorf("the tests do not run: %s", out)
	}
	deepest := all[0]
	for _, f := range all {
		if f[3] != "" {
			return "", fmt.Errorf("it does not compile: %s", f[3])
		}
		if f[1] != "" && strings.HasPrefix(f[1], deepest[1]) {
			deepest = f
		}
	}
	return deepest[1] + deepest[2], nil
}
