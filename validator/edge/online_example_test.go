package edge_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"

	"why520/validator"
	"why520/validator/edge"
	"why520/wire"
)

// A proxy keeps what the origin answers, and serves it when the origin is down.
func ExampleAlwaysOnline() {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=0, stale-if-error=86400")
		io.WriteString(w, "hello\n")
	}))
	defer origin.Close()
	target, _ := url.Parse(origin.URL)

	online := &edge.AlwaysOnline{EdgeStatuses: []int{520, 521, 522, 523, 524}}
	transport := &sometimesDown{}
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:      transport,
		ModifyResponse: online.Keep,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if failed, ok := errors.AsType[*validator.Error](err); ok && online.Serve(w, r, failed.Verdict) {
				return
			}
			http.Error(w, "the origin failed", http.StatusBadGateway)
		},
	}
	server := httptest.NewServer(online.Handler(proxy))
	defer server.Close()

	for _, path := range []string{"/", "/", "/never-asked-before"} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		content, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		detail, _, _ := strings.Cut(resp.Header.Get("Cache-Status"), "; ttl")
		fmt.Printf("%d %s%s\n", resp.StatusCode, content, detail)
		transport.down = true
	}
	// Output:
	// 200 hello
	//
	// 200 hello
	// why520; hit
	// 502 the origin failed
}

// sometimesDown is in the place of validator.Transport, and fails like it.
type sometimesDown struct{ down bool }

func (s *sometimesDown) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.down {
		return nil, &validator.Error{Verdict: &validator.Verdict{Reason: wire.ClosedWithoutAByte, EdgeStatus: 520}}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// The budget is for keys, fields and content together.
func ExampleMemoryStore() {
	store := &edge.MemoryStore{Budget: 1000}
	for _, key := range []string{"a", "b", "c"} {
		store.Save(key, make([]byte, 400))
	}
	_, a := store.Load("a")
	_, c := store.Load("c")
	fmt.Println(a, c, store.Size())
	fmt.Println(store.Save("d", make([]byte, 1000)))
	// Output:
	// false true 802
	// 1001 bytes are above the store's budget of 1000
}

// A banner says that a page is a copy.
func ExampleAlwaysOnline_banner() {
	online := &edge.AlwaysOnline{Banner: true}
	r := httptest.NewRequest("GET", "http://example.test/", nil)
	resp := &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"text/html"}}, Request: r,
		ContentLength: -1, Body: io.NopCloser(strings.NewReader("<body><h1>Welcome</h1>")),
	}
	online.Keep(resp)
	io.Copy(io.Discard, resp.Body) // the proxy passes it on

	w := httptest.NewRecorder()
	online.Serve(w, r, &validator.Verdict{Reason: wire.HeadTooLarge, EdgeStatus: 520})
	fmt.Println(strings.Contains(w.Body.String(), "This is a stored copy of "))
	fmt.Println(w.Header().Get("Warning"))
	// Output:
	// true
	// 110 why520 "Response is Stale"
}
