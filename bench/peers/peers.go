// Package peers has other parsers of HTTP/1.x responses as package bench
// measures them: each as cheaply as its interface permits, with what it needs
// kept from one input to the next.
//
// llhttp, in C, is there under a build tag of its name; it needs cgo and Debian's
// package node-llhttp:
//
//	go test -tags llhttp -bench .
package peers

import (
	"slices"

	"why520/bench"
)

// All gives every parser that is built in.
func All() []bench.Parser {
	return slices.Concat([]bench.Parser{NetHTTP(), FastHTTP(), Hertz()}, inC)
}

// inC are the parsers that a build tag adds.
var inC []bench.Parser
