package validator_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInterimResponsesAreToldOf(t *testing.T) {
	u := listen(t, says("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"+hello))
	tr, seen := transport(t)
	var got []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		got = append(got, fmt.Sprintf("%d%v", code, h))
		return nil
	}})
	q, err := http.NewRequestWithContext(ctx, "GET", u, nil)
	require.NoError(t, err)
	resp, err := tr.RoundTrip(q)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, []string{"103map[Link:[</a>]]", "102map[]"}, got)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	e, _ := seen.last(t)
	assert.Equal(t, 2, e.Response.Interim)
}

// What an interim response says of the connection alone is for nobody behind it
// (RFC 9110 section 7.6.1): a client of HTTP/2 would take it for a fault.
func TestInterimResponsesHaveNoFieldsOfTheConnection(t *testing.T) {
	u := listen(t, says("HTTP/1.1 103 Early Hints\r\nConnection: keep-alive, x-hop\r\nConnection: ,Other\r\nKeep-Alive: timeout=5\r\n"+
		"Proxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: A\r\nTransfer-Encoding: gzip\r\nUpgrade: h2c\r\nContent-Length: 3\r\n"+
		"X-Hop: 1\r\nOther: 2\r\nLink: </a>\r\nLink: </b>\r\n\r\n"+hello))
	origin, err := url.Parse(u)
	require.NoError(t, err)
	tr, _ := transport(t)
	proxy := httptest.NewUnstartedServer(&httputil.ReverseProxy{Transport: tr, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(origin) }})
	proxy.EnableHTTP2 = true
	proxy.StartTLS()
	defer proxy.Close()
	var got []textproto.MIMEHeader
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
		got = append(got, h)
		return nil
	}})
	q, err := http.NewRequestWithContext(ctx, "GET", proxy.URL, nil)
	require.NoError(t, err)
	resp, err := proxy.Client().Do(q)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, 2, resp.ProtoMajor)
	content, err := io.ReadAll(resp.Body)
	assert.NoError(t, err)
	assert.Equal(t, "hello", string(content))
	assert.Equal(t, []textproto.MIMEHeader{{"Link": {"</a>", "</b>"}}}, got)
}

func TestTrailersGoBothWays(t *testing.T) {
	var got atomic.Value
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, q.Body)
		got.Store(q.Trailer.Get("Sum"))
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Digest, upgrade, Host\r\n\r\n5\r\nhello\r\n0\r\nDigest: d\r\n"+
			"Content-Length: 7\r\nconnection: Digest\r\nupgrade: h2c\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n\r\n")
	})
	tr, _ := transport(t)
	q, err := http.NewRequest("POST", u, io.MultiReader(strings.NewReader("some content")))
	require.NoError(t, err)
	q.Trailer = http.Header{"Sum": {"s"}}
	resp, err := tr.RoundTrip(q)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.Header{"Digest": nil}, resp.Trailer, "announced")
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, http.Header{"Digest": {"d"}}, resp.Trailer, "and never one that frames, or is of the connection")
	assert.Equal(t, "s", got.Load())
}

// An answer that comes before the content was sent is given at once, and the
// content goes on being sent.
func TestAnswersDuringAnUpload(t *testing.T) {
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		one := make([]byte, 1)
		for {
			if _, err := q.Body.Read(one); err != nil {
				break
			}
			fmt.Fprintf(c, "1\r\n%s\r\n", one)
		}
		io.WriteString(c, "0\r\n\r\n")
	})
	tr, _ := transport(t)
	content, in := io.Pipe()
	q, err := http.NewRequest("POST", u, content)
	require.NoError(t, err)
	resp, err := tr.RoundTrip(q)
	require.NoError(t, err)
	defer resp.Body.Close()
	one := make([]byte, 1)
	for _, c := range "echo" {
		io.WriteString(in, string(c))
		_, err := io.ReadFull(resp.Body, one)
		require.NoError(t, err)
		assert.Equal(t, string(c), string(one))
	}
	in.Close()
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Empty(t, rest)
}

func TestContentWaitsForContinue(t *testing.T) {
	for name, c := range map[string]struct {
		answer  string
		content string
	}{
		"it comes": {"HTTP/1.1 100 Continue\r\n\r\n", "content"},
		"refused":  {"HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1)
			u := listen(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				q, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				io.WriteString(conn, c.answer)
				b, _ := io.ReadAll(q.Body)
				got <- string(b)
				io.WriteString(conn, hello)
			})
			tr, _ := transport(t)
			tr.ExpectContinueTimeout = time.Minute
			q, err := http.NewRequest("POST", u, strings.NewReader("content"))
			require.NoError(t, err)
			q.Header.Set("Expect", "100-continue")
			resp, err := tr.RoundTrip(q)
			require.NoError(t, err)
			resp.Body.Close()
			assert.Equal(t, c.content, <-got)
		})
	}
}

// What cannot be one request is refused, before a connection is made.
func TestRequestsThatAreNoneAreRefused(t *testing.T) {
	good := func() *http.Request {
		q, err := http.NewRequest("POST", "http://127.0.0.1:1/", strings.NewReader("x"))
		require.NoError(t, err)
		return q
	}
	for name, spoil := range map[string]func(*http.Request){
		"method":                  func(q *http.Request) { q.Method = "GET / HTTP/1.1\r\nX:" },
		"query":                   func(q *http.Request) { q.URL.RawQuery = "a b" },
		"opaque":                  func(q *http.Request) { q.URL.Opaque = "/ HTTP/1.1\r\nX: y\r\n" },
		"field name":              func(q *http.Request) { q.Header["X: y\r\nZ"] = []string{"z"} },
		"field value":             func(q *http.Request) { q.Header["X"] = []string{"y\r\nZ: z"} },
		"length by another name":  func(q *http.Request) { q.Header["content-length"] = []string{"0"} },
		"coding by another name":  func(q *http.Request) { q.Header["transfer-encoding"] = []string{"chunked"} },
		"trailer":                 func(q *http.Request) { q.ContentLength, q.Trailer = -1, http.Header{"Content-Length": {"1"}} },
		"scheme":                  func(q *http.Request) { q.URL.Scheme = "ftp" },
		"no host":                 func(q *http.Request) { q.URL.Host = "" },
		"no URL":                  func(q *http.Request) { q.URL = nil },
		"no header":               func(q *http.Request) { q.Header = nil },
		"content without a Body":  func(q *http.Request) { q.Body = nil },
		"content that is shorter": func(q *http.Request) { q.ContentLength = 2 },
		"content that is longer":  func(q *http.Request) { q.Body, q.ContentLength = io.NopCloser(strings.NewReader("xy")), 1 },
	} {
		t.Run(name, func(t *testing.T) {
			tr, seen := transport(t)
			tr.DialContext = func(context.Context, string, string) (net.Conn, error) {
				t.Error("a connection is made")
				return nil, errors.New("none")
			}
			q := good()
			spoil(q)
			_, err := tr.RoundTrip(q)
			assert.Error(t, err)
			assert.Empty(t, seen.list(), "nothing is said of the origin")
		})
	}
}
