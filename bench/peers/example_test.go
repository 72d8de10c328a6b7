package peers_test

import (
	"fmt"
	"testing"
	"time"

	"why520/bench"
	"why520/bench/peers"
)

// A parser of one's own beside all of its peers: one line in a test file.
func Example() {
	mine := bench.Wire() // in its place: your own parser

	_ = func(b *testing.B) { bench.Compare(b, append([]bench.Parser{mine}, peers.All()...)...) } // go test -bench

	for _, p := range peers.All()[:3] {
		fmt.Println(p.Name)
	}
	// Output:
	// net-http
	// fasthttp
	// hertz
}

// What a parser costs beside another, without go test.
func ExampleNetHTTP() {
	o := bench.Options{Cases: bench.Cases()[:1], Rounds: 3, Turn: time.Microsecond}
	for _, f := range bench.Measure(o, peers.NetHTTP(), peers.FastHTTP()) {
		fmt.Println(f.Case, f.Parser, f.Ratio > 0)
	}
	// Output:
	// tiny net-http true
	// tiny fasthttp true
}

// Some read what is malformed.
func ExampleHertz() {
	for _, c := range bench.Cases() {
		if bench.Check(&c, peers.Hertz()) != nil {
			fmt.Println("wrong on", c.Name)
		}
	}
	// Output:
	// wrong on malformed-early
	// wrong on malformed-late
}
