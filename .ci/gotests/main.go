// Command gotests runs Go's own tests of httputil.ReverseProxy, of http.Transport
// and of http.Client with validator.Transport in the place of http.Transport:
// go run ./.ci/gotests [-v] [TEST...]. They are copied from GOROOT and rewritten
// each time; those that do not compile then, as they look into what is internal
// to net/http, are left out. exceptions.txt says which of the others do not apply,
// and why. A test that fails is run again alone, twice at most: some assume of time
// what no busy machine keeps. It exits 1 if another test fails each time, or one of
// these passes.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A suite is the tests of a package of the standard library.
type suite struct {
	folder string   // in GOROOT/src, and of the copy
	needs  []string // packages that only the standard library may import, copied too
	copies func(name string) bool
	counts []string // files whose tests are run
	shim   string   // what takes the place of what is internal
}

var suites = []suite{
	{
		folder: "net/http/httputil", needs: []string{"net/http/internal", "net/http/internal/ascii"},
		copies: func(name string) bool { return !strings.HasPrefix(name, "example") },
		counts: []string{"reverseproxy_test.go"},
		shim:   reverseProxyShim,
	},
	{
		folder: "net/http", needs: []string{"net/http/internal/testcert"},
		copies: func(name string) bool {
			return strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "example")
		},
		counts: []string{"transport_test.go", "client_test.go", "clientserver_test.go"},
		shim:   clientShim,
	},
}

var verbose = flag.Bool("v", false, "show what tests print")

func main() {
	log.SetFlags(0)
	flag.Parse()
	excepted, err := load(".ci/gotests/exceptions.txt")
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "gotests")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	good := true
	for _, s := range suites {
		tests, dropped, err := s.prepare(dir)
		if err != nil {
			log.Fatalf("%s: %v", s.folder, err)
		}
		if flag.NArg() > 0 {
			tests = slices.DeleteFunc(tests, func(t string) bool { return !slices.Contains(flag.Args(), t) })
		}
		good = s.run(dir, tests, dropped, excepted) && good
	}
	if !good {
		os.RemoveAll(dir)
		os.Exit(1)
	}
}

// load reads lines "TestName: why"; behind the name of a test that passes now and
// then there is a question mark.
func load(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	why := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, reason, found := strings.Cut(strings.TrimSpace(line), ": ")
		if found && !strings.HasPrefix(name, "#") {
			why[name] = reason
		}
	}
	return why, nil
}

// runs is how often a test is run until it passes.
const runs = 3

// run runs the tests, each in a process of its own, and compares.
func (s *suite) run(dir string, tests, dropped []string, excepted map[string]string) bool {
	binary := filepath.Join(dir, "test.bin")
	if out, err := goCommand(filepath.Join(dir, s.folder), "test", "-c", "-o", binary, "."); err != nil {
		log.Fatalf("%v\n%s", err, out)
	}
	var (
		mu      sync.Mutex
		passed  int
		apart   int
		again   []string // failed beside another
		wrong   []string
		workers sync.WaitGroup
		next    = make(chan string)
	)
	for range 2 {
		workers.Go(func() {
			for test := range next {
				out, err := s.runOne(binary, dir, test)
				mu.Lock()
				why, except := excepted[test]
				sometimes := excepted[test+"?"] != ""
				switch {
				case sometimes:
					apart++
				case err == nil && except:
					wrong = append(wrong, fmt.Sprintf("%s passes, but exceptions.txt has it: %s", test, why))
				case err == nil:
					passed++
				case except:
					apart++
				default:
					again = append(again, test)
				}
				if *verbose && (err != nil || flag.NArg() > 0) {
					fmt.Printf("%s\n%.6000s\n", test, out)
				}
				mu.Unlock()
			}
		})
	}
	for _, test := range tests {
		next <- test
	}
	close(next)
	workers.Wait()
	for _, test := range again {
		out, err := s.runOne(binary, dir, test)
		for n := 2; n < runs && err != nil; n++ {
			out, err = s.runOne(binary, dir, test)
		}
		if err == nil {
			passed++
		} else {
			wrong = append(wrong, fmt.Sprintf("%s fails %d times:\n%.2000s", test, runs, out))
		}
	}
	slices.Sort(wrong)
	for _, w := range wrong {
		fmt.Println(w)
	}
	fmt.Printf("%s: %d of %d tests pass, %d do not apply, %d do not compile; %d were run again: %s\n",
		s.folder, passed, len(tests), apart, len(dropped), len(again), strings.Join(again, " "))
	return len(wrong) == 0 && len(tests) > 0
}

// runOne runs a test, and gives what it prints.
func (s *suite) runOne(binary, dir, test string) ([]byte, error) {
	c := exec.Command(binary, "-test.run", "^"+test+"$", "-test.timeout", "60s", "-test.short", "-test.v")
	c.Dir = filepath.Join(dir, s.folder)
	return c.CombinedOutput()
}

func goCommand(dir string, args ...string) ([]byte, error) {
	c := exec.Command("go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	return c.CombinedOutput()
}
