package edge_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"

	"why520/validator"
	"why520/validator/edge"
)

// refuse is a transport whose origin sends a field line without a colon. In a
// proxy, a validator.Transport takes its place.
var refuse = roundTrip(func(*http.Request) (*http.Response, error) {
	e := validator.Read([]byte("HTTP/1.1 200 OK\r\nServer x\r\n\r\n"), validator.RequestFacts{}, validator.ReadOptions{})
	e.ID = "0123456789abcdef"
	v := validator.Judge(e, nil)
	return nil, &validator.Error{Verdict: &v, Evidence: e}
})

// ask asks a proxy as a program does.
func ask(proxy http.Handler) *http.Response {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", "application/json")
	proxy.ServeHTTP(w, r)
	return w.Result()
}

// A reverse proxy that says why its origin's response could not be passed on.
func Example() {
	origin, _ := url.Parse("http://origin.example")
	response := ask(&edge.Handler{Origin: origin, Transport: refuse})
	fmt.Println(response.StatusCode, response.Header.Get("Content-Type"))
	fmt.Println(response.Header.Get("Proxy-Status"))
	// Output:
	// 520 application/problem+json
	// why520; error=http_protocol_error; received-status=200; details="field-no-colon"
}

// A proxy that is there already.
func ExampleAnswers_ErrorHandler() {
	answers := edge.Answers{
		Name:    "frankfurt-1",
		Gateway: true, // its clients know no 520
		Details: func(r *http.Request) bool { return r.Header.Get("X-Debug") == "a secret" },
	}
	origin, _ := url.Parse("http://origin.example")
	proxy := httputil.NewSingleHostReverseProxy(origin)
	proxy.Transport = refuse
	proxy.ErrorHandler = answers.ErrorHandler
	proxy.ModifyResponse = answers.ModifyResponse
	response := ask(proxy)
	fmt.Println(response.StatusCode)
	fmt.Println(response.Header.Get("Proxy-Status"))
	// Output:
	// 502
	// frankfurt-1; error=http_protocol_error; received-status=200; details="field-no-colon"
}

// What stands in for an origin that failed may come from a store of copies.
func ExampleAnswers_stale() {
	answers := edge.Answers{
		Stale: func(w http.ResponseWriter, _ *http.Request, v *validator.Verdict) bool {
			if v.EdgeStatus != 520 {
				return false
			}
			w.Header().Set("Age", "3600")
			fmt.Fprint(w, "an earlier copy")
			return true
		},
	}
	origin, _ := url.Parse("http://origin.example")
	response := ask(&edge.Handler{Answers: answers, Origin: origin, Transport: refuse})
	content, _ := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, string(content))
	// Output: 200 an earlier copy
}
