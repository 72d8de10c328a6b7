package validator_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// listen serves each connection by serve until the test ends; it gives the URL.
func listen(t *testing.T, serve func(number int, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for number := 0; ; number++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(t.Context(), func() { c.Close() })
			all.Go(func() {
				defer stop()
				defer c.Close()
				serve(number, c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return "http://" + l.Addr().String() + "/"
}

// readRequest reads a request and its content.
func readRequest(r *bufio.Reader) (*http.Request, string) {
	q, err := http.ReadRequest(r)
	if err != nil {
		return nil, ""
	}
	content, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, ""
	}
	return q, string(content)
}

// says serves one answer after another.
func says(text string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// transport gives a Transport whose verdicts are collected.
func transport(t *testing.T) (*validator.Transport, *verdicts) {
	t.Helper()
	seen := &verdicts{}
	tr := &validator.Transport{OnVerdict: seen.add}
	t.Cleanup(tr.CloseIdleConnections)
	return tr, seen
}

// do makes a request and reads its answer.
func do(tr http.RoundTripper, method, url string, content io.Reader) (*http.Response, string, error) {
	q, err := http.NewRequest(method, url, content)
	if err != nil {
		return nil, "", err
	}
	resp, err := tr.RoundTrip(q)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// A reused connection that ends without a byte costs nothing where the request
// may be sent twice, and is told of otherwise.
func TestRequestsThatMayBeAreSentAgain(t *testing.T) {
	u := listen(t, func(number int, c net.Conn, r *bufio.Reader) {
		if q, _ := readRequest(r); q != nil {
			io.WriteString(c, hello)
			if number == 0 {
				readRequest(r) // and closes without an answer
				return
			}
			says(hello)(number, c, r)
		}
	})
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
		tr, seen := transport(t)
		u := u
		if method != "GET" {
			u = listen(t, func(number int, c net.Conn, r *bufio.Reader) {
				q, _ := readRequest(r)
				if q != nil {
					io.WriteString(c, "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n")
				}
				if q, _ := readRequest(r); q != nil && number > 0 {
					io.WriteString(c, "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n")
				}
			})
		}
		for range 2 {
			_, _, err := do(tr, method, u, nil)
			require.NoError(t, err, method)
		}
		e, v := seen.last(t)
		assert.True(t, v.OK())
		assert.Equal(t, 2, e.Attempts, method)
		assert.Len(t, seen.list(), 2, "one verdict for each request, not each attempt")
	}
}

func TestPOSTThatTheOriginMayHaveAppliedIsNotSentAgain(t *testing.T) {
	var requests atomic.Int32
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
			if requests.Add(1) == 2 {
				return
			}
			io.WriteString(c, hello)
		}
	})
	tr, _ := transport(t)
	_, _, err := do(tr, "POST", u, strings.NewReader("a"))
	require.NoError(t, err)
	_, _, err = do(tr, "POST", u, strings.NewReader("b"))
	assert.ErrorIs(t, err, wire.ClosedWithoutAByte)
	assert.EqualValues(t, 2, requests.Load())
}

func TestConnectionsPerHostAreLimitedAndWaitedForInLine(t *testing.T) {
	var open, most atomic.Int32
	u := listen(t, func(number int, c net.Conn, r *bufio.Reader) {
		for {
			now := open.Add(1)
			for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
			}
			q, _ := readRequest(r)
			open.Add(-1)
			if q == nil {
				return
			}
			io.WriteString(c, hello)
		}
	})
	tr, _ := transport(t)
	tr.MaxConnsPerHost = 2
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			_, got, err := do(tr, "GET", u, nil)
			assert.NoError(t, err)
			assert.Equal(t, "hello", got)
		})
	}
	all.Wait()
	assert.LessOrEqual(t, most.Load(), int32(2))

	q, err := http.NewRequest("GET", u, nil)
	require.NoError(t, err)
	var held []*http.Response
	for range 2 {
		resp, err := tr.RoundTrip(q)
		require.NoError(t, err)
		held = append(held, resp)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = tr.RoundTrip(q.WithContext(ctx))
	assert.ErrorIs(t, err, context.DeadlineExceeded, "who waits may leave the line")
	for _, resp := range held {
		resp.Body.Close()
	}
	_, _, err = do(tr, "GET", u, nil)
	assert.NoError(t, err)
}

func TestUpgradesPassThroughReverseProxy(t *testing.T) {
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		if q, _ := readRequest(r); q == nil || q.Header.Get("Upgrade") != "websocket" {
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
		io.Copy(c, r)
	})
	origin, err := url.Parse(u)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(origin)
	tr, seen := transport(t)
	proxy.Transport = tr
	edge := httptest.NewServer(proxy)
	defer edge.Close()

	c, err := net.Dial("tcp", edge.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	io.WriteString(c, " and echo")
	got := make([]byte, len("first and echo"))
	_, err = io.ReadFull(r, got)
	require.NoError(t, err)
	assert.Equal(t, "first and echo", string(got))
	_, v := seen.last(t)
	assert.True(t, v.OK())
}

// What asks for no other protocol, or not by the connection option that RFC 9110
// section 7.8 demands, is no request to switch.
func TestASwitchThatWasNotAskedForIsRefused(t *testing.T) {
	u := listen(t, says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
	for _, c := range []struct {
		upgrade, connection []string
		asked               bool
	}{
		{nil, nil, false},
		{[]string{"x"}, nil, false},
		{[]string{"x"}, []string{"close, upgrades"}, false},
		{nil, []string{"Upgrade"}, false},
		{[]string{}, []string{"Upgrade"}, false},
		{[]string{""}, []string{"Upgrade"}, false},
		{[]string{" ", ","}, []string{"Upgrade"}, false},
		{[]string{"x"}, []string{"Upgrade"}, true},
		{[]string{"", "y, x"}, []string{"a", "b, upgrade"}, true},
	} {
		header := http.Header{"Upgrade": c.upgrade, "Connection": c.connection}
		tr, seen := transport(t)
		for name, rt := range map[string]http.RoundTripper{"Transport": tr, "Conn": aroundHTTP(t, new(validator.Guard))} {
			q, err := http.NewRequest("GET", u, nil)
			require.NoError(t, err)
			q.Header = header
			resp, err := rt.RoundTrip(q)
			if err == nil {
				resp.Body.Close()
			}
			if c.asked {
				assert.NoError(t, err, "%s, %v", name, header)
			} else {
				assert.ErrorIs(t, err, wire.Unasked101, "%s, %v", name, header)
			}
		}
		e, _ := seen.last(t)
		assert.Equal(t, c.asked, e.Request.Upgrade)

		var fields []validator.Field
		for _, v := range c.connection {
			fields = append(fields, validator.Field{Name: "Connection", Value: v})
		}
		for _, v := range c.upgrade {
			fields = append(fields, validator.Field{Name: "Upgrade", Value: v})
		}
		e, err := (&validator.Prober{Settle: -1}).Probe(t.Context(), validator.Target{URL: u, Fields: fields})
		require.NoError(t, err)
		v := validator.Judge(e, nil)
		assert.Equal(t, c.asked, v.OK(), "Prober, %v: %v", header, v.Message)
	}
}

// Under Report, what is tolerated arrives as if it had been right.
func TestToleratedViolationsAreRepaired(t *testing.T) {
	u := listen(t, says("\r\nHTTP/1.1 200 \x01OK\nX: a\r\n  b\r\nY : c\r\nZ: d\x02e\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello"))
	tr, seen := transport(t)
	resp, got, err := do(tr, "GET", u, nil)
	require.NoError(t, err)
	assert.Equal(t, "hello", got)
	assert.Equal(t, "200  OK", resp.Status)
	assert.Equal(t, http.Header{"X": {"a b"}, "Y": {"c"}, "Z": {"d e"}, "Content-Length": {"5"}}, resp.Header)
	_, v := seen.last(t)
	assert.True(t, v.OK())
	var notes []wire.Reason
	for _, n := range v.Notes {
		notes = append(notes, n.Reason)
	}
	assert.Subset(t, notes, []wire.Reason{wire.BlankLineBeforeStatusLine, wire.BareLF, wire.ReasonPhraseByte,
		wire.FieldObsFold, wire.FieldSpaceBeforeColon, wire.FieldControlByte, wire.ContentLengthRepeated})

	strict := validator.Strict()
	tr = &validator.Transport{Policy: &strict}
	_, _, err = do(tr, "GET", u, nil)
	assert.ErrorIs(t, err, wire.BlankLineBeforeStatusLine)
}

func TestVerdictsOfGoodExchangesCostNoAllocation(t *testing.T) {
	measure := func(on func(*http.Request, *validator.Evidence, *validator.Verdict)) float64 {
		answer := []byte(hello)
		u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) { // without an allocation either
			for line, err := r.ReadSlice('\n'); err == nil; line, err = r.ReadSlice('\n') {
				if len(line) == len("\r\n") {
					c.Write(answer)
				}
			}
		})
		tr := &validator.Transport{OnVerdict: on}
		defer tr.CloseIdleConnections()
		q, err := http.NewRequest("GET", u, nil)
		require.NoError(t, err)
		b := make([]byte, 64)
		return allocations(t, func() {
			resp, err := tr.RoundTrip(q)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Read(b)
			resp.Body.Close()
		})
	}
	last := validator.Verdict{Reason: wire.BareCR}
	without := measure(nil)
	with := measure(func(_ *http.Request, e *validator.Evidence, v *validator.Verdict) { last = *v })
	assert.True(t, last.OK())
	assert.Equal(t, without, with)
	assert.LessOrEqual(t, with, 12.0)
}
