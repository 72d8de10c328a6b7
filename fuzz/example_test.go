package fuzz_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/iotest"

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
		b, err := io.ReadAll(r)
		forgiven := bytes.NewReader(bytes.ReplaceAll(b, []byte(" :"), []byte(":")))
		return fuzz.Strict(q, io.MultiReader(forgiven, iotest.ErrReader(cmp.Or(err, io.EOF))))
	}
	subject := fuzz.Subject{Read: forgiving}
	for _, seed := range fuzz.Seeds() {
		for _, f := range subject.Check(seed) {
			fmt.Println(f.Oracle, "-", f.Reason.String())
			return
		}
	}
	// Output: strictly - field-space-before-colon
}

// Fuzzing goes on past what is known: each finding is looked at with the case
// that shows it.
func ExampleSubject_known() {
	subject := fuzz.Subject{
		Read:   fuzz.NetHTTP,
		Limits: wire.Limits{Head: 1 << 20, Tolerate: wire.SetOf(wire.NoHeaderFields)}, // its policy, no bug
		Known: func(f *fuzz.Finding) bool {
			switch f.Reason {
			case wire.BareLF, wire.FieldObsFold: // accepted, and reported to its authors
				return true
			}
			return f.Oracle == "strictly" && f.Reason == wire.HTTPVersion && bytes.HasPrefix(f.Case.Bytes, []byte("HTTP/2.0 "))
		},
	}
	for _, response := range []string{
		"HTTP/1.1 200 OK\r\n\r\nhello",
		"HTTP/1.1 200 OK\nServer: x\n\n",
		"HTTP/2.0 200 OK\r\nServer: x\r\n\r\n",
		"HTTP/3.0 200 OK\r\nServer: x\r\n\r\n",
	} {
		for _, f := range subject.Check([]byte(response)) {
			fmt.Println(f.Oracle, "-", f.Reason.String(), "-", f.Case)
		}
	}
	// Output: strictly - http-version - method GET, end fin, cuts []: "HTTP/3.0 200 OK\r\nServer: x\r\n\r\n"
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
