package edge_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"why520/validator"
	"why520/validator/edge"
	"why520/validator/origintest"
	"why520/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// probing asks the origin with a Prober, as it must be asked to fail, and fails
// with what that says.
func probing(o *origintest.Origin) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		var last *validator.Evidence
		for e, err := range o.Prober().ProbeAll(r.Context(), o.Target()) {
			if err != nil {
				return nil, err
			}
			last = e
		}
		v := validator.Judge(last, nil)
		if !v.OK() {
			return nil, &validator.Error{Verdict: &v, Evidence: last}
		}
		return &http.Response{StatusCode: 200, ContentLength: 2, Header: http.Header{"Content-Length": {"2"}}, Body: io.NopCloser(strings.NewReader("ok")), Request: r}, nil
	}
}

// Every origin that fails on purpose, from end to end.
func TestEveryOriginThatFailsIsAnsweredFor(t *testing.T) {
	for _, f := range origintest.Faults() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			o := origintest.Start(t, f.Name)
			proxy := httptest.NewServer(&edge.Handler{Origin: &url.URL{Scheme: "http", Host: o.Addr()}, Transport: probing(o)})
			defer proxy.Close()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, proxy.URL, nil)
			require.NoError(t, err)
			r.Header.Set("Accept", asBrowser)
			response, err := proxy.Client().Do(r)
			require.NoError(t, err)
			content, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			response.Body.Close()
			if f.Reason == wire.OK {
				assert.Equal(t, 200, response.StatusCode)
				assert.Empty(t, response.Header["Proxy-Status"])
				return
			}
			names := validator.NamesOf(f.Reason)
			assert.Equal(t, names.EdgeStatus, response.StatusCode)
			m := proxyStatusOf(t, response.Header)
			assert.Equal(t, token(names.ProxyStatus), m.params["error"])
			assert.Equal(t, f.Reason.String(), m.params["details"])
			assert.Contains(t, string(content), f.Reason.String())
			assert.NotContains(t, string(content), o.Addr())
		})
	}
}

// before starts a proxy before an origin, both on sockets.
func before(t *testing.T, origin http.HandlerFunc) *httptest.Server {
	t.Helper()
	o := httptest.NewServer(origin)
	t.Cleanup(o.Close)
	u, err := url.Parse(o.URL)
	require.NoError(t, err)
	proxy := httptest.NewServer(&edge.Handler{Origin: u, Transport: new(validator.Transport)})
	t.Cleanup(proxy.Close)
	return proxy
}

// What is no query of a form, by net/url, is a query all the same.
func TestAQueryArrivesAsItWasSent(t *testing.T) {
	proxy := before(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) })
	for _, uri := range []string{"/x?q=100%", "/x?z=1;y=2&b=3&a=100%25&c=4", "/x?b&a=+%20", "/x?", "/x"} {
		response, err := proxy.Client().Get(proxy.URL + uri)
		require.NoError(t, err)
		assert.Equal(t, uri, contentOf(t, response))
		response.Body.Close()
	}
}

func TestTrailersOfARequestArrive(t *testing.T) {
	proxy := before(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
		io.WriteString(w, " "+r.Trailer.Get("X-Sum"))
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proxy.URL, io.MultiReader(strings.NewReader("content")))
	require.NoError(t, err)
	r.Trailer = http.Header{"X-Sum": {"7"}}
	response, err := proxy.Client().Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, "content 7", contentOf(t, response))
}
