package edge_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"why520/validator/edge"
	"why520/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// arrives is the content that comes before it fails: more than net/http buffers,
// so that the head goes out.
var arrives = strings.Repeat("hello, ", 4000)

// part answers with a head and what arrives, and then fails; length is what the
// head says, -1 for nothing.
func part(length int64) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {"text/plain"}}
		if length >= 0 {
			header.Set("Content-Length", fmt.Sprint(length))
		}
		return &http.Response{
			StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: length, Request: r,
			Body: io.NopCloser(io.MultiReader(strings.NewReader(arrives), failing{})),
		}, nil
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, sample(wire.ChunkedCut) }

// front starts a proxy with that transport.
func front(t *testing.T, h *edge.Handler, http2 bool) *httptest.Server {
	t.Helper()
	h.Origin = &url.URL{Scheme: "http", Host: secretName}
	server := httptest.NewUnstartedServer(h)
	if server.EnableHTTP2 = http2; http2 {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

func TestContentThatFailsIsCut(t *testing.T) {
	for _, length := range []int64{-1, 100_000, int64(len(arrives))} {
		for _, http2 := range []bool{false, true} {
			if length == int64(len(arrives)) && !http2 {
				continue // by its length it is whole
			}
			for _, te := range []string{"", "trailers"} {
				var log bytes.Buffer
				server := front(t, &edge.Handler{
					Transport: part(length), Answers: edge.Answers{Trailers: true, Logger: slog.New(slog.NewTextHandler(&log, nil))},
				}, http2)
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
				require.NoError(t, err)
				if te != "" {
					r.Header.Set("TE", te)
				}
				response, err := server.Client().Do(r)
				require.NoError(t, err)
				assert.Equal(t, http2, response.ProtoMajor == 2)
				content, err := io.ReadAll(response.Body)
				response.Body.Close()
				assert.Error(t, err, "length %d, HTTP/2 %t, TE %q: %d bytes pass for whole", length, http2, te, len(content))
				server.Close()
				assert.Equal(t, 1, strings.Count(log.String(), "reason=chunked-cut"), "%s", &log)
			}
		}
	}
}

// raw asks in that version and gives all that comes, and how it ended.
func raw(t *testing.T, server *httptest.Server, version string) (string, error) {
	t.Helper()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	if server.TLS != nil {
		c = tls.Client(c, &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"})
	}
	fmt.Fprintf(c, "GET / %s\r\nHost: x\r\nTE: trailers\r\n\r\n", version)
	content, err := io.ReadAll(c)
	return string(content), err
}

func TestOverHTTP11NoLastChunkFollowsWhatFailed(t *testing.T) {
	server := front(t, &edge.Handler{Transport: part(-1)}, false)
	got, _ := raw(t, server, "HTTP/1.1")
	assert.Contains(t, got, "hello, ")
	assert.NotContains(t, got, "\r\n0\r\n")
}

// The end of the connection ends such content; only a reset tells that it is cut.
func TestOverHTTP10TheConnectionIsReset(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		got, err := raw(t, front(t, &edge.Handler{Transport: part(-1)}, encrypted), "HTTP/1.0")
		assert.True(t, strings.HasPrefix(got, "HTTP/1.0 200"), "%.40q", got)
		assert.Error(t, err, "TLS %t: what comes passes for whole", encrypted)
		good := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, ContentLength: -1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("hello")), Request: r}, nil
		})
		got, err = raw(t, front(t, &edge.Handler{Transport: good}, encrypted), "HTTP/1.0")
		assert.NoError(t, err)
		assert.True(t, strings.HasSuffix(got, "\r\n\r\nhello"), "%q", got)
	}
}

func TestATrailerTellsOverHTTP2WhatFellShortOfItsLength(t *testing.T) {
	for _, c := range []struct {
		trailers bool
		header   http.Header
		told     bool
	}{
		{true, http.Header{"Te": {"trailers"}}, true},
		{false, http.Header{"Te": {"trailers"}}, false},
		{true, http.Header{}, false},
		{true, http.Header{"Te": {"trailers"}, "Sec-Fetch-Mode": {"navigate"}}, false}, // Firefox
	} {
		server := front(t, &edge.Handler{Transport: part(100_000), Answers: edge.Answers{Trailers: c.trailers}}, true)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		require.NoError(t, err)
		r.Header = c.header
		response, err := server.Client().Do(r)
		require.NoError(t, err)
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
		assert.Error(t, err, "it passes for whole")
		if !c.told {
			assert.Empty(t, response.Trailer["Proxy-Status"], "%v", c)
			continue
		}
		m := proxyStatusOf(t, response.Trailer)
		assert.Equal(t, token("http_response_incomplete"), m.params["error"])
		assert.Equal(t, "chunked-cut", m.params["details"])
	}
}

func TestGoodResponsesPassAsTheyAre(t *testing.T) {
	var seen []int
	h := &edge.Handler{
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			assert.Equal(t, secretName, r.URL.Host)
			return &http.Response{
				StatusCode: 200, Header: http.Header{"Trailer": {"X-Sum"}}, ContentLength: -1, Request: r,
				Trailer: http.Header{"X-Sum": {"7"}}, Body: io.NopCloser(strings.NewReader("hello")),
			}, nil
		}),
		Answers: edge.Answers{Good: func(r *http.Response) error { seen = append(seen, r.StatusCode); return nil }},
	}
	server := front(t, h, false)
	response, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(content))
	assert.Equal(t, "7", response.Trailer.Get("X-Sum"))
	assert.Empty(t, response.Header["Proxy-Status"])
	assert.Equal(t, []int{200}, seen)
}

func TestWhatGoodRefusesIsAFailure(t *testing.T) {
	server := front(t, &edge.Handler{Transport: part(5), Answers: edge.Answers{Good: func(*http.Response) error { return sample(wire.HeadTooLarge) }}}, false)
	response, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, 520, response.StatusCode)
}

func TestATransportNeedNotSayWhatItWasAsked(t *testing.T) {
	var log bytes.Buffer
	a := edge.Answers{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	r := &http.Response{StatusCode: 200, Body: io.NopCloser(failing{})}
	require.NoError(t, a.ModifyResponse(r))
	_, err := io.ReadAll(r.Body)
	assert.ErrorIs(t, err, wire.ChunkedCut)
	assert.Contains(t, log.String(), "reason=chunked-cut")
}

func TestContentThatFailsWithoutAVerdictIsLogged(t *testing.T) {
	for err, told := range map[error]string{io.ErrUnexpectedEOF: "reason=unknown ", context.Canceled: "", io.EOF: ""} {
		var log bytes.Buffer
		a := edge.Answers{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		r := &http.Response{StatusCode: 200, Body: io.NopCloser(iotest.ErrReader(err))}
		require.NoError(t, a.ModifyResponse(r))
		_, _ = io.ReadAll(r.Body)
		assert.Contains(t, log.String(), told)
		assert.Equal(t, told == "", log.Len() == 0, "%v", err)
	}
}
