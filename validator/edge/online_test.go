package edge_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/edge"
	"why520/wire"
)

// failed is a verdict of the 520 family.
var failed = &validator.Verdict{Reason: wire.HeadTooLarge, Cause: "head-too-large", EdgeStatus: 520}

// get is a request.
func get(uri string, fields ...string) *http.Request { return request(http.MethodGet, uri, fields...) }

func request(method, uri string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, uri, nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// passOn shows Keep a response to r, and reads its content as a proxy does.
func passOn(t *testing.T, a *edge.AlwaysOnline, r *http.Request, status int, content string, fields ...string) {
	t.Helper()
	w := httptest.NewRecorder()
	for i := 0; i < len(fields); i += 2 {
		w.Header().Add(fields[i], fields[i+1])
	}
	w.WriteHeader(status)
	io.WriteString(w, content)
	resp := w.Result()
	resp.Request = r
	require.NoError(t, a.Keep(resp))
	passed, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, content, string(passed))
}

// copyFor asks for a copy; nil: there is none.
func copyFor(t *testing.T, a *edge.AlwaysOnline, r *http.Request) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	if a.Serve(w, r, failed) {
		return w.Result()
	}
	assert.Empty(t, w.Header(), "nothing is written where false is reported")
	assert.Empty(t, w.Body.String())
	return nil
}

func contentOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	content, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(content)
}

func TestTheLastGoodResponseIsServed(t *testing.T) {
	var a edge.AlwaysOnline
	passOn(t, &a, get("http://example.test/page?a=1"), 200, "first")
	passOn(t, &a, get("http://example.test/page?a=1"), 200, "second", "Content-Type", "text/plain")
	passOn(t, &a, get("http://example.test/page?a=1"), 503, "not good")
	resp := copyFor(t, &a, get("http://example.test/page?a=1"))
	require.NotNil(t, resp)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "second", contentOf(t, resp))
	assert.Equal(t, "text/plain", resp.Header.Get("Content-Type"))
	assert.Equal(t, `why520; hit; ttl=0; detail=head-too-large`, resp.Header.Get("Cache-Status"))
	assert.Equal(t, `110 why520 "Response is Stale"`, resp.Header.Get("Warning"))
	assert.Equal(t, "0", resp.Header.Get("Age"))
	for _, other := range []string{"http://example.test/page?a=2", "http://other.test/page?a=1", "https://example.test/page?a=1"} {
		assert.Nil(t, copyFor(t, &a, get(other)), other)
	}
}
