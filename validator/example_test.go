package validator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

// origin starts an origin that fails so.
func origin(name string) *origintest.Origin {
	f, _ := origintest.Lookup(name)
	o, err := origintest.New(f, "")
	if err != nil {
		log.Fatal(err)
	}
	return o
}

// Asking an origin, and saying what it did.
func Example() {
	o := origin("reset-after-request")
	defer o.Close()

	var p validator.Prober
	e, err := p.Probe(context.Background(), validator.Target{URL: o.URL()})
	if err != nil {
		log.Fatal(err) // we could not ask: nothing is said of the origin
	}
	v := validator.Judge(e, nil)
	fmt.Println(v.EdgeStatus, v.Cause, v.Reason.String(), v.Phase)
	// Output: 520 reset-after-handshake reset-after-request wait
}

// Bytes that were saved are judged without a network.
func ExampleRead() {
	raw := []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")
	v := validator.Judge(validator.Read(raw, validator.RequestFacts{}, validator.ReadOptions{}), nil)
	fmt.Println(v.Reason.String(), v.Offset)
	// Output: content-length-conflict 52
}

// Evidence is stored as JSON, and judged again under other rules.
func ExampleJudge() {
	o := origin("bare-lf")
	defer o.Close()
	e, err := new(validator.Prober).Probe(context.Background(), validator.Target{URL: o.URL()})
	if err != nil {
		log.Fatal(err)
	}
	stored, _ := json.Marshal(e)

	var back validator.Evidence
	if err := json.Unmarshal(stored, &back); err != nil {
		log.Fatal(err)
	}
	lenient := validator.Policy{Limits: wire.Limits{Tolerate: wire.SetOf(wire.BareLF)}}
	before, after := validator.Judge(&back, nil), validator.Judge(&back, &lenient)
	fmt.Println(before.Reason.String(), after.Reason.String(), len(after.Notes))
	// Output: bare-lf ok 3
}
