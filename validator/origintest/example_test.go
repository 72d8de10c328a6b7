package origintest_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"testing"

	"why520/validator"
	"why520/validator/origintest"
)

// What does a client of one's own make of an origin that fails?
func Example() {
	fault, _ := origintest.Lookup("body-short")
	o, err := origintest.New(fault, "")
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	res, err := http.Get(o.URL())
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	_, err = io.ReadAll(res.Body)
	fmt.Println(res.StatusCode, err)
	// Output: 200 unexpected EOF
}

// In a test, an origin ends with it, and what the system cannot show is skipped.
func ExampleStart() {
	_ = func(t *testing.T) {
		o := origintest.Start(t, "reset-after-request")
		if _, err := http.Get(o.URL()); err == nil {
			t.Error("a reset passed for an answer")
		}
	}
}

// Every origin knows how it must be asked so that its fault shows.
func ExampleOrigin_Target() {
	fault, _ := origintest.Lookup("reused-connection-was-dead")
	o, err := origintest.New(fault, "")
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	for e, err := range o.Prober().ProbeAll(context.Background(), o.Target()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(validator.Judge(e, nil).Reason.String())
	}
	// Output:
	// ok
	// reused-connection-was-dead
}
