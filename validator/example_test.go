package validator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"

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

// In the place of http.Transport: the error says what the origin did.
func ExampleTransport() {
	o := origin("length-and-transfer-encoding")
	defer o.Close()

	client := &http.Client{Transport: &validator.Transport{}}
	_, err := client.Get(o.URL())
	var fault *validator.Error
	if errors.As(err, &fault) {
		fmt.Println(fault.Verdict.EdgeStatus, fault.Verdict.Reason.String())
	}
	// Output: 520 length-and-transfer-encoding
}

// A proxy that says why. Content of up to 1 MiB is verified before the client
// sees any of it.
func ExampleTransport_proxy() {
	o := origin("body-short")
	defer o.Close()
	to, err := url.Parse(o.URL())
	if err != nil {
		log.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &validator.Transport{
			HoldContent: 1 << 20,
			OnVerdict: func(q *http.Request, e *validator.Evidence, v *validator.Verdict) {
				fmt.Println(q.Method, v.Reason.String(), v.Phase)
			},
		},
		ErrorHandler: func(w http.ResponseWriter, q *http.Request, err error) {
			var fault *validator.Error
			if errors.As(err, &fault) {
				w.WriteHeader(fault.Verdict.EdgeStatus)
			} else {
				w.WriteHeader(http.StatusBadGateway)
			}
		},
	}
	edge := httptest.NewServer(proxy)
	defer edge.Close()

	resp, err := http.Get(edge.URL)
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	fmt.Println(resp.StatusCode)
	// Output:
	// GET body-short body
	// 520
}

// The ID on an error page leads to the bytes.
func ExampleRecorder() {
	o := origin("bare-cr")
	defer o.Close()

	t := &validator.Transport{Recorder: &validator.Recorder{Most: 100}}
	_, err := (&http.Client{Transport: t}).Get(o.URL())
	var fault *validator.Error
	if !errors.As(err, &fault) {
		log.Fatal(err)
	}
	e := t.Recorder.Lookup(fault.Evidence.ID)
	fmt.Printf("%q\n", e.Response.Raw[:26])
	// Output: "HTTP/1.1 200 OK\r\nServer: a"
}
