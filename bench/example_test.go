package bench_test

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"
	"time"

	"why520/bench"
)

// simple is a parser of one's own, as one would write it in five minutes.
var simple = bench.Parser{Name: "simple", Heads: bench.Each(func(head []byte) bench.Result {
	lines := bytes.Split(head, []byte("\r\n"))
	_, status, _ := bytes.Cut(lines[0], []byte(" "))
	code, err := strconv.Atoi(string(status[:min(3, len(status))]))
	if err != nil {
		return bench.Result{}
	}
	fields := map[string]string{}
	for _, l := range lines[1 : len(lines)-2] {
		name, value, ok := bytes.Cut(l, []byte(":"))
		if !ok {
			return bench.Result{}
		}
		fields[string(name)] = string(bytes.TrimSpace(value))
	}
	return bench.Result{OK: true, Head: len(head), Status: code, Fields: len(lines) - 3}
})}

// A parser of one's own is held against wire, or against any other, by one line
// in a test file. Sub-benchmarks are called case=tiny/parser=simple, and so on.
func Example() {
	_ = func(b *testing.B) { bench.Compare(b, bench.Wire(), simple) } // go test -bench

	for _, c := range bench.Cases() {
		fmt.Printf("%-15s  %s\n", c.Name, c.About)
	}
	// Output:
	// tiny             3 field lines, 105 bytes
	// nginx            what nginx sends: 9 field lines, 287 bytes
	// cdn              what a CDN sends: 25 field lines, 1260 bytes
	// cookies          7 field lines, 3 of them cookies: 8192 bytes
	// fields           500 field lines, 64 KiB
	// tinyfields       500 field lines of some 13 bytes, 6500 bytes
	// mixed            heads of 3 to 25 field lines, 473 bytes
	// malformed-early  a fault in the status line or the first field line of 287 bytes
	// malformed-late   a fault in the last field line of 287 bytes
	// interim          2 to 4 interim heads, then a response with a little content
	// chunked16        2 KiB in chunks of 16 bytes
	// chunked1k        16 KiB in chunks of 1 KiB
	// chunked16k       64 KiB in chunks of 16 KiB
}

// A parser that reads a case wrong is not fast there: it is wrong.
func ExampleCheck() {
	for _, c := range bench.Cases() {
		if err := bench.Check(&c, simple); err != nil {
			fmt.Println(c.Name, "-", err)
		}
	}
	// Output:
	// malformed-early - wrong on 380 of 500 inputs; on number 2: accepted; it is malformed
	// malformed-late - wrong on 500 of 500 inputs; on number 0: accepted; it is malformed
}

// Without go test: the first parser is the one that others are compared with.
func ExampleMeasure() {
	o := bench.Options{Cases: bench.Cases()[:1], Rounds: 3, Turn: time.Microsecond}
	for _, f := range bench.Measure(o, bench.Wire(), simple) {
		fmt.Println(f.Case, f.Parser, f.Time > 0, f.Ratio > 0, f.Wrong == nil)
	}
	// Output:
	// tiny wire true true true
	// tiny simple true true true
}
