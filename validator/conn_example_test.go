package validator_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"why520/validator"
	"why520/wire"
)

// One line makes net/http's client say what the origin did.
func ExampleGuard_Around() {
	o := origin("chunked-cut")
	defer o.Close()

	guard := &validator.Guard{OnVerdict: func(_ *validator.Conn, e *validator.Evidence, v *validator.Verdict) {
		fmt.Println("verdict:", v.EdgeStatus, v.Reason.Info().Token)
	}}
	client := &http.Client{Transport: guard.Around(&http.Transport{})} // DialContext and DialTLSContext are the guard's now
	defer client.CloseIdleConnections()

	resp, err := client.Get(o.URL())
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	var failed *validator.Error
	fmt.Println(errors.As(err, &failed), errors.Is(err, wire.ChunkedCut))
	// Output:
	// verdict: 520 chunked-cut
	// true true
}

// Any connection to an origin can be judged, whatever reads it.
func ExampleGuard_Conn() {
	o := origin("bare-lf")
	defer o.Close()
	plain, err := net.Dial("tcp", o.Addr())
	if err != nil {
		log.Fatal(err)
	}

	guard := &validator.Guard{Policy: new(validator.Policy)} // Strict
	c := guard.Conn(plain)
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n")
	n, err := c.Read(make([]byte, 1024))
	fmt.Println(n, errors.Is(err, wire.BareLF))
	// Output: 0 true
}
