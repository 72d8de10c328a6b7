package fuzz_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"why520/fuzz"
	"why520/wire"
)

// A client of one's own, or its parser, is hardened in a few lines: a function
// that reads one response, and one line in a fuzz test.
func Example() {
	read := func(q wire.Request, r io.Reader) (*fuzz.Response, error) {
		return fuzz.Strict(q, r) // in its place: your own parser
	}
	subject := fuzz.Subject{Read: read}

	_ = func(f *testing.F) { fuzz.Run[*testing.T](f, subject) } // go test -fuzz

	faults := 0
	for _, seed := range fuzz.Seeds() { // or without an engine
		faults += len(subject.Check(seed))
	}
	fmt.Println(faults, "faults")
	// Output: 0 faults
}

// A parser with a bug: it forgives white space before a colon, which lets two
// recipients see two different fields.
func Example_planted() {
	forgiving := func(q wire.Request, r io.Reader) (*fuzz.Response, error) {
		b, _ := io.ReadAll(r)
		return fuzz.Strict(q, bytes.NewReader(bytes.ReplaceAll(b, []byte(" :"), []byte(":"))))
	}
	subject := fuzz.Subject{Read: forgiving}
	for _, seed := range fuzz.Seeds() {
		for _, err := range subject.Check(seed) {
			var f *fuzz.Finding
			if errors.As(err, &f) {
				fmt.Println(f.Oracle, "-", f.Reason.String())
				return
			}
		}
	}
	// Output: strictly - field-space-before-colon
}

// A whole client is fuzzed by origins that answer what is generated.
func ExampleListen() {
	k := fuzz.Generate([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	o, err := fuzz.Listen(k)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer o.Close()
	res, err := http.Get(o.URL())
	if err != nil {
		fmt.Println(err)
		return
	}
	res.Body.Close()
	fmt.Println(res.Status)
	// Output: 200 OK
}
