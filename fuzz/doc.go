// Package fuzz has what it takes to hold a parser of HTTP/1.x responses to the
// grammar: vectors, each a single scenario with what a strict recipient says of
// it, and oracles, properties that hold for every input.
//
// It knows nothing of package testing, so that it builds under every fuzzing
// engine: an oracle returns an error that says what is wrong.
package fuzz
