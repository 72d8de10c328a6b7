// Package peers has other parsers of HTTP/1.x responses as package bench
// measures them: each as cheaply as its interface permits, with what it needs
// kept from one input to the next.
//
// Parsers in C are there under build tags of their own, and need cgo: llhttp with
// Debian's package node-llhttp, picohttpparser with its source, which is part of
// Debian's source package h2o:
//
//	CGO_CFLAGS=-I.../deps/picohttpparser go test -tags llhttp,picohttpparser -bench .
package peers

import (
	"slices"

	"why520/bench"
)

// All gives every parser that is built in.
func All() []bench.Parser {
	return slices.Concat([]bench.Parser{NetHTTP(), FastHTTP(), Hertz()}, inC)
}

// inC are the parsers that build tags add.
var inC []bench.Parser
