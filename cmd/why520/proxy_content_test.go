package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A raw is a client that writes its requests itself.
type raw struct {
	net.Conn
	r *bufio.Reader
}

// rawClient connects to the proxy, and says what is to be sent first.
func rawClient(t *testing.T, p *running, text string) *raw {
	t.Helper()
	c, err := net.Dial("tcp", p.clients.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(c, text)
	require.NoError(t, err)
	return &raw{c, bufio.NewReader(c)}
}

// answer reads one response, with its content.
func (c *raw) answer(t *testing.T, method string) (*http.Response, string) {
	t.Helper()
	response, err := http.ReadResponse(c.r, &http.Request{Method: method})
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(content)
}

// rest reads until the proxy ends the connection, by a reset too.
func (c *raw) rest(t *testing.T) string {
	t.Helper()
	all, err := io.ReadAll(c.r)
	var waited net.Error
	require.False(t, errors.As(err, &waited) && waited.Timeout(), "the connection is still open after %q", all)
	return string(all)
}

// early answers 401 before it has the content, and reads that then.
func early(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	control.EnableFullDuplex()
	w.Header().Set("Content-Length", "3")
	w.WriteHeader(http.StatusUnauthorized)
	io.WriteString(w, "no\n")
	control.Flush()
	io.Copy(io.Discard, r.Body)
}

// known is a configuration with one host; what others ask for has no origin.
func known(t *testing.T, origin string) string {
	return file(t, "proxy.yaml", "origins:\n  - url: "+origin+"\n    hosts: [known.test]\n")
}

// RFC 9112 section 9.3: a server reads all of the content or closes the connection,
// for what is left would be taken for the next request.
func TestContentThatWasNotReadIsNoRequest(t *testing.T) {
	p := startProxy(t, nil, "--config", known(t, originOf(t, early)))
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: known.test\r\n\r\n"
	n := 0
	for host, status := range map[string]int{"known.test": 401, "unknown.test": 421} {
		for _, framing := range []string{fmt.Sprintf("Content-Length: %d\r\n\r\n", len("some"+smuggled)), "Transfer-Encoding: chunked\r\n\r\n1000\r\n"} {
			c := rawClient(t, p, "POST /upload HTTP/1.1\r\nHost: "+host+"\r\n"+framing+"some")
			response, _ := c.answer(t, "POST")
			assert.Equal(t, status, response.StatusCode)
			require.True(t, response.Close, "%s, %q", host, framing)
			io.WriteString(c, smuggled)
			assert.Empty(t, c.rest(t), "%s, %q", host, framing)
			n++
		}
	}
	p.out.all(t, n)
	assert.NotContains(t, p.out.String(), "smuggled")
}

// RFC 9112 section 11.2: behind content that breaks its framing nothing is a
// request.
func TestWhatFollowsMalformedContentIsNoRequest(t *testing.T) {
	origin := originOf(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	p := startProxy(t, nil, "--config", known(t, origin))
	n := 0
	for _, host := range []string{"known.test", "unknown.test"} {
		for _, content := range []string{"Z\r\n", "3\r\nabcX\n", "-1\r\n", "3\r\nabc\r\nZ\r\n"} {
			c := rawClient(t, p, "POST /upload HTTP/1.1\r\nHost: "+host+"\r\nTransfer-Encoding: chunked\r\n\r\n"+content+
				"GET /smuggled HTTP/1.1\r\nHost: known.test\r\n\r\n")
			all := c.rest(t)
			assert.Equal(t, 1, strings.Count(all, "HTTP/1.1 "), "%s, %q: %s", host, content, all)
			assert.Contains(t, all, "\r\nConnection: close\r\n", "%s, %q", host, content)
			n++
		}
	}
	p.out.all(t, n)
	assert.NotContains(t, p.out.String(), "smuggled")
}

// Content that is malformed is the client's fault, not the origin's; the ID on the
// page leads to the line of the log.
func TestMalformedContentIsTheClientsFault(t *testing.T) {
	p := startProxy(t, nil, "--origin", originOf(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	c := rawClient(t, p, "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZ\r\n")
	response, page := c.answer(t, "POST")
	assert.Equal(t, 400, response.StatusCode)
	assert.Equal(t, `why520; error=http_request_error; status-code=400; details="request-content"`, response.Header.Get("Proxy-Status"))
	line := p.out.all(t, 1)[0]
	assert.Equal(t, "request-content", line["reason"])
	assert.Equal(t, "what the client sent is malformed", line["message"])
	assert.Contains(t, line["error"], "invalid byte in chunk length")
	assert.Contains(t, page, line["id"])
	assert.Equal(t, 1.0, p.metric("why520_verdicts_total", "reason=request-content"))
	assertCountedOnce(t, p)
}

// RFC 9112 section 6.1: an HTTP/1.0 request with Transfer-Encoding is framed by nobody
// knows what, and nothing behind it is a request. net/http's server does not tell of it.
func TestNothingFollowsARequestOfHTTP10(t *testing.T) {
	p := startProxy(t, nil, "--origin", originOf(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	for _, fields := range []string{"Transfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 0", "X: y"} {
		c := rawClient(t, p, "POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n"+fields+"\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
		assert.Equal(t, 1, strings.Count(c.rest(t), "HTTP/1."), fields)
	}
	p.out.all(t, 3)
	assert.NotContains(t, p.out.String(), "smuggled")
}

// HTTP/2 can say what would be another request in HTTP/1.1.
func TestWhatHTTP11CannotSayIsRefused(t *testing.T) {
	cert, key, roots := certificate(t)
	p := startProxy(t, nil, "--origin", originOf(t, func(http.ResponseWriter, *http.Request) {}), "--tls-cert", cert, "--tls-key", key)
	address := p.clients.Addr().String()
	for _, c := range []struct {
		method, target, host string
		status               string
	}{
		{"GET", "/?x=%20y", address, "200"},
		{"GET", "/?x HTTP/1.1 y", address, "400"},
		{"GET", "/a b", address, "400"},
		{"GET /admin HTTP/1.1", "/", address, "400"},
		{"GET", "/", "a b", "400"},
		{"GET", "/", "a/b", "400"},
	} {
		assert.Equal(t, c.status, overHTTP2(t, address, roots, c.method, c.target, c.host), c)
	}
	p.out.all(t, 6)
	assert.Contains(t, p.out.String(), `"reason":"malformed-request"`)
	assertCountedOnce(t, p)
}

// overHTTP2 asks with what no client would send, and gives the status.
func overHTTP2(t *testing.T, address string, roots *x509.CertPool, method, target, host string) string {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(c, http2.ClientPreface)
	require.NoError(t, err)
	framer := http2.NewFramer(c, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	require.NoError(t, framer.WriteSettings())
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, f := range [][2]string{{":scheme", "https"}, {":authority", host}, {":method", method}, {":path", target}} {
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
	}
	require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndHeaders: true, EndStream: true}))
	for {
		frame, err := framer.ReadFrame()
		require.NoError(t, err)
		if f, ok := frame.(*http2.MetaHeadersFrame); ok {
			return f.PseudoValue("status")
		}
	}
}

// A connection stays where the content came whole before the answer.
func TestAfterContentThatCameWholeTheConnectionStays(t *testing.T) {
	p := startProxy(t, nil, "--origin", originOf(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, r.URL.Path)
	}))
	c := rawClient(t, p, "")
	for _, request := range []string{
		"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nsome",
		"POST /chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\n\r\n",
		"POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"GET /get HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		_, err := io.WriteString(c, request)
		require.NoError(t, err)
		response, _ := c.answer(t, request[:strings.Index(request, " ")])
		assert.Equal(t, 200, response.StatusCode)
		assert.False(t, response.Close, "%q", request)
	}
}

// RFC 9110 section 10.1.1: who awaits 100 (Continue), and has a final answer, is not
// told to go on.
func TestNo100FollowsAFinalAnswer(t *testing.T) {
	p := startProxy(t, nil, "--config", known(t, originOf(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })))
	for host, status := range map[string]int{"known.test": 401, "unknown.test": 421} {
		for _, method := range []string{"POST", "HEAD"} {
			c := rawClient(t, p, method+" / HTTP/1.1\r\nHost: "+host+"\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
			response, _ := c.answer(t, method)
			assert.Equal(t, status, response.StatusCode)
			assert.True(t, response.Close)
			require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
			assert.Empty(t, c.rest(t), host)
		}
	}
}

func TestTheOriginAsksForContentThatAwaitsThat(t *testing.T) {
	p := startProxy(t, nil, "--origin", originOf(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	c := rawClient(t, p, "")
	for range 2 { // on one connection
		_, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		require.NoError(t, err)
		response, _ := c.answer(t, "POST")
		assert.Equal(t, 100, response.StatusCode)
		io.WriteString(c, "some")
		response, content := c.answer(t, "POST")
		assert.Equal(t, 200, response.StatusCode)
		assert.Equal(t, "some", content)
	}
}
