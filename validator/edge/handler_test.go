package edge_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

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
	return proxyTo(t, u)
}

func proxyTo(t *testing.T, origin *url.URL) *httptest.Server {
	transport := new(validator.Transport)
	proxy := httptest.NewServer(&edge.Handler{Origin: origin, Transport: transport})
	t.Cleanup(func() {
		proxy.Close()
		transport.CloseIdleConnections()
	})
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

// speaking starts a proxy before an origin that answers every request with text; what
// follows 101 comes back.
func speaking(t *testing.T, text string) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for q, err := http.ReadRequest(r); err == nil; q, err = http.ReadRequest(r) {
					io.Copy(io.Discard, q.Body)
					io.WriteString(c, text)
					if strings.HasPrefix(text, "HTTP/1.1 101 ") {
						io.Copy(struct{ io.Writer }{c}, r)
						return
					}
				}
			}()
		}
	}()
	return proxyTo(t, &url.URL{Scheme: "http", Host: l.Addr().String()})
}

// exchanged writes text to the proxy and gives all that comes, or n bytes of it.
func exchanged(t *testing.T, proxy *httptest.Server, text string, n int64) string {
	t.Helper()
	c, err := net.Dial("tcp", proxy.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(c, text)
	require.NoError(t, err)
	all, err := io.ReadAll(io.LimitReader(c, n))
	require.NoError(t, err)
	return string(all)
}

func TestInterimResponsesAreNotForHTTP10(t *testing.T) {
	proxy := speaking(t, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	old := exchanged(t, proxy, "GET / HTTP/1.0\r\n\r\n", 1<<20)
	assert.True(t, strings.HasPrefix(old, "HTTP/1.0 200 "), "%q", old)
	assert.NotContains(t, old, "Link")
	now := exchanged(t, proxy, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 1<<20)
	assert.True(t, strings.HasPrefix(now, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"), "%q", now)
	for _, all := range []string{old, now} {
		assert.True(t, strings.HasSuffix(all, "\r\n\r\nhello"), "%q", all)
	}
}

// The interim response before it has a Content-Type, too: it says nothing of the final
// one.
func TestNoTypeIsGuessedOfWhatIsPassedOn(t *testing.T) {
	const page = "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 29\r\n\r\n<html><script>alert(1)</scrip"
	for _, text := range []string{page, "HTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\nLink: </a>\r\n\r\n" + page} {
		response, err := http.Get(speaking(t, text).URL)
		require.NoError(t, err)
		response.Body.Close()
		assert.Empty(t, response.Header["Content-Type"])
	}
}

// RFC 9110 section 7.8. HTTP within a tunnel would be seen by nobody.
func TestUpgradesToHTTPAreNotPassedOn(t *testing.T) {
	proxy := before(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q", []string{r.Header.Get("Connection"), r.Header.Get("Upgrade"), r.Header.Get("Http2-Settings")})
	})
	for _, c := range []struct{ version, sent, arrives string }{
		{"HTTP/1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk", ""},
		{"HTTP/1.1", "Connection: Upgrade\r\nUpgrade: H2C\r\nHTTP2-Settings: AAMAAABk", ""},
		{"HTTP/1.1", "Connection: Upgrade\r\nUpgrade: TLS/1.2, HTTP/2.0, h2", ""},
		{"HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c , websocket", "websocket"},
		{"HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket, irc/6.9", "websocket, irc/6.9"},
		{"HTTP/1.1", "Upgrade: websocket", ""},
		{"HTTP/1.0", "Connection: Upgrade\r\nUpgrade: websocket", ""},
	} {
		want := `["" "" ""]`
		if c.arrives != "" {
			want = fmt.Sprintf("%q", []string{"Upgrade", c.arrives, ""})
		}
		got := exchanged(t, proxy, "GET / "+c.version+"\r\nHost: x\r\n"+c.sent+"\r\nConnection: close\r\n\r\n", 1<<20)
		assert.True(t, strings.HasSuffix(got, "\r\n\r\n"+want), "%s: %q", c.sent, got)
	}
}

// What either side sends of the new protocol without waiting is not lost.
func TestWhatFollowsAnUpgradeAtOnceArrives(t *testing.T) {
	const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello, "
	proxy := speaking(t, switched)
	got := exchanged(t, proxy, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nat once", int64(len(switched+"at once")))
	assert.Equal(t, switched+"at once", got)
}

// RFC 9110 section 7.6.2.
func TestMaxForwards(t *testing.T) {
	proxy := before(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Arrived", r.Header.Get("Max-Forwards"))
	})
	for _, c := range []struct {
		method, sent string
		status       int
		arrived      string
	}{
		{"OPTIONS", "0", 200, "never"}, {"TRACE", "00", 501, "never"},
		{"OPTIONS", "1", 200, "0"}, {"TRACE", "10", 200, "9"}, {"OPTIONS", "18446744073709551615", 200, "18446744073709551614"},
		{"OPTIONS", "18446744073709551616", 200, "18446744073709551616"}, {"OPTIONS", "-1", 200, "-1"}, {"OPTIONS", "", 200, ""},
		{"GET", "0", 200, "0"}, {"POST", "3", 200, "3"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, proxy.URL, nil)
		require.NoError(t, err)
		r.Header.Set("Max-Forwards", c.sent)
		response, err := proxy.Client().Do(r)
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, c.status, response.StatusCode, c)
		if c.arrived == "never" {
			assert.Empty(t, response.Header["Arrived"], c)
			continue
		}
		assert.Equal(t, []string{c.arrived}, response.Header["Arrived"], c)
	}
}
