package peers_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"why520/validator"
	"why520/validator/origintest"
)

// fasthttp's client takes every error of a connection before the first byte for its
// end, so that OnVerdict says what the origin did; a fault of content is the
// error, too. For https, Dial is DialTLSAddr, IsTLS stays false, and URLs are
// http ones.
func Example_fasthttp() {
	guard := &validator.Guard{OnVerdict: func(_ *validator.Conn, e *validator.Evidence, v *validator.Verdict) {
		fmt.Println(v.EdgeStatus, v.Reason.Info().Token)
	}}
	for _, name := range []string{"content-length-conflict", "chunked-cut"} {
		f, _ := origintest.Lookup(name)
		o, err := origintest.New(f, "")
		if err != nil {
			log.Fatal(err)
		}
		client := &fasthttp.HostClient{Addr: o.Addr(), Dial: guard.DialAddr, MaxIdemponentCallAttempts: 1}
		_, _, err = client.Get(nil, o.URL())
		var failed *validator.Error
		fmt.Println(err != nil, errors.As(err, &failed))
		client.CloseIdleConnections()
		o.Close()
	}
	// Output:
	// 520 content-length-conflict
	// true false
	// 520 chunked-cut
	// true true
}

func TestConnUnderFastHTTP(t *testing.T) {
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		w.Header().Set("Got", fmt.Sprint(len(content)))
		if r.URL.Path == "/chunked" {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = w.Write([]byte("hello"))
	})
	told := 0
	guard := &validator.Guard{OnVerdict: func(_ *validator.Conn, e *validator.Evidence, v *validator.Verdict) {
		if assert.True(t, v.OK(), v.Message) {
			told++
		}
	}}
	plain, encrypted := httptest.NewServer(serve), httptest.NewTLSServer(serve)
	defer plain.Close()
	defer encrypted.Close()
	roots := x509.NewCertPool()
	roots.AddCert(encrypted.Certificate())
	guard.TLSClientConfig = &tls.Config{RootCAs: roots}
	asked := 0
	for address, dial := range map[string]fasthttp.DialFunc{
		plain.Listener.Addr().String(): guard.DialAddr, encrypted.Listener.Addr().String(): guard.DialTLSAddr,
	} {
		client := &fasthttp.HostClient{Addr: address, Dial: dial}
		for _, method := range []string{"GET", "HEAD", "POST"} {
			for _, path := range []string{"/", "/chunked"} {
				req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
				req.SetRequestURI("http://" + address + path)
				req.Header.SetMethod(method)
				if method == "POST" {
					req.SetBody(make([]byte, 100_000))
				}
				require.NoError(t, client.Do(req, resp))
				if asked++; method != "HEAD" {
					assert.Equal(t, "hello", string(resp.Body()))
				}
			}
		}
		client.CloseIdleConnections()
	}
	assert.Equal(t, asked, told)
}
