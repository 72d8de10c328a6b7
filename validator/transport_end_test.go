package validator_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

// A caller who leaves gets its context's error, whatever the exchange is at, and
// the origin is not blamed.
func TestCallersMayLeaveInEveryPhase(t *testing.T) {
	silent := func(sends string) func(int, net.Conn, *bufio.Reader) {
		return func(_ int, c net.Conn, r *bufio.Reader) {
			http.ReadRequest(r)
			io.WriteString(c, sends)
			r.ReadByte()
		}
	}
	for name, c := range map[string]struct {
		serve   func(int, net.Conn, *bufio.Reader)
		dial    func(context.Context, string, string) (net.Conn, error)
		content io.Reader
	}{
		"before":  {},
		"connect": {dial: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }},
		"request": {content: io.LimitReader(zeros{}, 1<<40)},
		"wait":    {serve: silent("")},
		"head":    {serve: silent("HTTP/1.1 200 OK\r\nX: ")},
		"content": {serve: silent("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")},
		"chunked": {serve: silent("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")},
	} {
		t.Run(name, func(t *testing.T) {
			left := make(chan bool)
			defer close(left)
			serve := c.serve
			if serve == nil {
				serve = func(int, net.Conn, *bufio.Reader) { <-left } // nothing is read
			}
			tr, seen := transport(t)
			tr.DialContext = c.dial
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if name == "before" {
				cancel()
			}
			q, err := http.NewRequestWithContext(ctx, "POST", listen(t, serve), c.content)
			require.NoError(t, err)
			resp, err := tr.RoundTrip(q)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			require.Error(t, err)
			assert.ErrorIs(t, err, ctx.Err())
			require.Len(t, seen.list(), 1)
			_, v := seen.last(t)
			assert.True(t, v.OK(), "%v", v.Findings)
			assert.True(t, noted(seen, validator.ClientClosed))
		})
	}
}

func TestABodyMayBeClosedMidway(t *testing.T) {
	connections := make(chan int, 10)
	u := listen(t, func(number int, c net.Conn, r *bufio.Reader) {
		connections <- number
		for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
			if q.URL.Path == "/large" {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
				io.CopyN(c, zeros{}, 1000000)
			} else {
				io.WriteString(c, hello)
			}
		}
	})
	tr, seen := transport(t)
	for _, path := range []string{"", "", "large", ""} {
		q, err := http.NewRequest("GET", u+path, nil)
		require.NoError(t, err)
		resp, err := tr.RoundTrip(q)
		require.NoError(t, err)
		n, err := resp.Body.Read(make([]byte, 1))
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, resp.Body.Close())
		_, err = resp.Body.Read(make([]byte, 1))
		assert.ErrorIs(t, err, http.ErrBodyReadAfterClose)
	}
	assert.Len(t, connections, 2, "what was there already is skipped, and costs no connection")
	assert.Len(t, seen.list(), 4)
	for _, v := range seen.list() {
		assert.True(t, v.OK())
	}
}

// Close ends a Read that waits.
func TestABodyIsClosedWhileItIsRead(t *testing.T) {
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readRequest(r)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
		r.ReadByte()
	})
	tr, seen := transport(t)
	q, err := http.NewRequest("GET", u, nil)
	require.NoError(t, err)
	resp, err := tr.RoundTrip(q)
	require.NoError(t, err)
	ended := make(chan error)
	go func() {
		_, err := io.ReadAll(resp.Body)
		ended <- err
	}()
	time.Sleep(10 * time.Millisecond)
	resp.Body.Close()
	assert.Error(t, <-ended)
	assert.True(t, noted(seen, validator.ClientClosed))
}

// Up to HoldContent, a fault of the content is an error of RoundTrip; beyond,
// one of Read.
func TestContentIsHeldUpToABudget(t *testing.T) {
	cut := "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + strings.Repeat("x", 60)
	chunks := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3c\r\n" + strings.Repeat("x", 60) + "\r\n"
	for name, c := range map[string]struct {
		sends string
		hold  int64
		held  bool
		want  error
	}{
		"by length, within": {cut, 100, true, wire.BodyShort},
		"by length, beyond": {cut, 99, false, wire.BodyShort},
		"chunked, within":   {chunks, 100, true, wire.ChunkedCut},
		"chunked, beyond":   {chunks, 59, false, wire.ChunkedCut},
		"whole":             {hello, 100, false, nil},
		"whole, beyond":     {hello, 3, false, nil},
		"events":            {strings.Replace(chunks, "\r\n", "\r\nContent-Type: text/event-stream\r\n", 1), 100, false, wire.ChunkedCut},
		"EVENTS":            {strings.Replace(chunks, "\r\n", "\r\nContent-Type: Text/Event-Stream;charset=utf-8\r\n", 1), 100, false, wire.ChunkedCut},
		"other text":        {strings.Replace(chunks, "\r\n", "\r\nContent-Type: text/event\r\n", 1), 100, true, wire.ChunkedCut},
	} {
		t.Run(name, func(t *testing.T) {
			u := listen(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				readRequest(r)
				io.WriteString(conn, c.sends)
			})
			tr, seen := transport(t)
			tr.HoldContent = c.hold
			q, err := http.NewRequest("GET", u, nil)
			require.NoError(t, err)
			resp, err := tr.RoundTrip(q)
			if c.held {
				assert.ErrorIs(t, err, c.want)
				assert.Len(t, seen.list(), 1)
				return
			}
			require.NoError(t, err)
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if c.want == nil {
				assert.NoError(t, err)
				assert.Equal(t, "hello", string(got))
				return
			}
			assert.ErrorIs(t, err, c.want)
			assert.Len(t, got, 60, "what came is given")
		})
	}
}

func TestARecorderKeepsTheLastFailures(t *testing.T) {
	r := &validator.Recorder{Most: 3}
	var all []*validator.Evidence
	for range 5 {
		e := validator.Read([]byte("HTTP/1.1 2"), validator.RequestFacts{}, validator.ReadOptions{})
		all = append(all, e)
		r.Record(e)
	}
	assert.Equal(t, all[2:], r.All())
	assert.Nil(t, r.Lookup(all[0].ID))
	assert.Same(t, all[4], r.Lookup(all[4].ID))

	small := &validator.Recorder{MostBytes: 10 << 10}
	for range 100 {
		small.Record(validator.Read([]byte("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 4000)), validator.RequestFacts{}, validator.ReadOptions{}))
	}
	assert.Len(t, small.All(), 1, "of 4 KB each, and what is around them")
}

func TestClonesShareNothing(t *testing.T) {
	raw := []byte("HTTP/1.1 200 OK\nX: y\n\n")
	e := validator.Read(raw, validator.RequestFacts{Fields: []string{"A: b"}}, validator.ReadOptions{})
	v := validator.Judge(e, nil)
	c, w := e.Clone(), v.Clone()
	assert.Equal(t, e, c)
	assert.Equal(t, &v, w)
	e.Response.Raw[0], e.Response.Found[0].Offset, e.Request.Fields[0] = 'x', 99, "x"
	v.Findings[0].Offset = 99
	assert.NotEqual(t, e.Response.Raw, c.Response.Raw)
	assert.NotEqual(t, e.Response.Found, c.Response.Found)
	assert.NotEqual(t, e.Request.Fields, c.Request.Fields)
	assert.NotEqual(t, v.Findings, w.Findings)
}

func TestTransportSpeaksHTTP1WithinTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, q.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	config := s.Client().Transport.(*http.Transport).TLSClientConfig
	for name, tr := range map[string]*validator.Transport{
		"its own": {TLSClientConfig: &tls.Config{RootCAs: config.RootCAs}},
		"dialled": {DialTLSContext: func(_ context.Context, network, address string) (net.Conn, error) {
			return tls.Dial(network, address, &tls.Config{RootCAs: config.RootCAs, NextProtos: []string{"http/1.1"}})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			defer tr.CloseIdleConnections()
			for range 2 {
				resp, got, err := do(tr, "GET", s.URL, nil)
				require.NoError(t, err)
				assert.Equal(t, "HTTP/1.1", got)
				require.NotNil(t, resp.TLS)
				assert.NotEqual(t, "h2", resp.TLS.NegotiatedProtocol)
				assert.NotEmpty(t, resp.TLS.VerifiedChains)
			}
		})
	}
}

// What cannot be dialled for a fault of this machine is no verdict.
func TestLocalFaultsAreNoVerdict(t *testing.T) {
	tr, seen := transport(t)
	tr.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, fmt.Errorf("no descriptor") }
	_, _, err := do(tr, "GET", "http://origin.test/", nil)
	var local *validator.LocalError
	require.ErrorAs(t, err, &local)
	assert.Empty(t, seen.list())

	o := origintest.Start(t, "connection-refused")
	tr, seen = transport(t)
	_, _, err = do(tr, "GET", o.URL(), nil)
	assert.ErrorIs(t, err, validator.ConnectionRefused)
	assert.Len(t, seen.list(), 1)
}
