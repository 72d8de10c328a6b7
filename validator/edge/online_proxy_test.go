package edge_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/edge"
)

// A proxy on sockets: an origin that answers well, cuts its content, then resets.
func TestThroughReverseProxy(t *testing.T) {
	const (
		well = iota
		cuts
		down
	)
	var state atomic.Int32
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case state.Load() == down:
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/coded":
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Vary", "Accept-Encoding")
			z := gzip.NewWriter(w)
			fmt.Fprint(z, "coded content")
			z.Close()
		default:
			fmt.Fprintf(w, "content of %s, ", r.URL.Path)
			w.(http.Flusher).Flush()
			if state.Load() == cuts {
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, "whole")
		}
	}))
	defer origin.Close()
	target, err := url.Parse(origin.URL)
	require.NoError(t, err)
	var online edge.AlwaysOnline
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		ModifyResponse: online.Keep,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if !online.Serve(w, r, failed) {
				http.Error(w, err.Error(), 520)
			}
		},
	}
	for name, handler := range map[string]http.Handler{"with Handler": online.Handler(proxy), "without": proxy} {
		t.Run(name, func(t *testing.T) {
			state.Store(well)
			server := httptest.NewUnstartedServer(handler)
			server.EnableHTTP2 = true
			server.StartTLS()
			defer server.Close()
			client := server.Client()
			ask := func(path string) (status int, content string, err error) {
				resp, err := client.Get(server.URL + path)
				require.NoError(t, err)
				defer resp.Body.Close()
				assert.Equal(t, 2, resp.ProtoMajor)
				b, err := io.ReadAll(resp.Body)
				return resp.StatusCode, string(b), err
			}
			expect := func(path string, status int, content string) {
				t.Helper()
				s, c, err := ask(path)
				require.NoError(t, err)
				assert.Equal(t, status, s)
				assert.Equal(t, content, c)
			}
			expect("/a", 200, "content of /a, whole")
			expect("/coded", 200, "coded content")
			state.Store(cuts)
			_, _, err := ask("/a")
			assert.Error(t, err)
			_, _, err = ask("/only-cut")
			assert.Error(t, err)
			state.Store(down)
			expect("/a", 200, "content of /a, whole")
			expect("/coded", 200, "coded content")
			status, _, err := ask("/only-cut")
			require.NoError(t, err)
			assert.Equal(t, 520, status)
		})
	}
}
