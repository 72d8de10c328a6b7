package boltstore_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"why520/contrib/boltstore"
	"why520/validator"
	"why520/validator/edge"
	"why520/wire"
)

// What was kept before a restart is served after it.
func Example() {
	folder, err := os.MkdirTemp("", "copies")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	r := httptest.NewRequest("GET", "http://example.test/", nil)

	store, err := boltstore.Open(folder, 1<<30, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	online := &edge.AlwaysOnline{Store: store}
	resp := &http.Response{
		StatusCode: 200, Header: http.Header{}, Request: r,
		ContentLength: -1, Body: io.NopCloser(strings.NewReader("hello")),
	}
	online.Keep(resp)
	io.Copy(io.Discard, resp.Body) // the proxy passes it on
	store.Close()

	store, err = boltstore.Open(folder, 1<<30, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	online = &edge.AlwaysOnline{Store: store}
	w := httptest.NewRecorder()
	fmt.Println(online.Serve(w, r, &validator.Verdict{Reason: wire.ClosedWithoutAByte, EdgeStatus: 520}), w.Body)
	// Output: true hello
}
