package validator_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
)

// asksSoon makes a request that is not to wait for ever.
func asksSoon(t *testing.T, tr http.RoundTripper, url string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	q, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	require.NoError(t, err)
	resp, err := tr.RoundTrip(q)
	require.NoError(t, err)
	assert.NoError(t, resp.Body.Close())
}

// A function of the caller's that panics, as http.Server allows, costs no turn.
func TestAPanicOfTheCallersLeavesNothingBehind(t *testing.T) {
	var now func() // what panics, the first time
	oops := func() {
		now = func() {}
		panic("oops")
	}
	for name, set := range map[string]func(tr *validator.Transport, trace *httptrace.ClientTrace){
		"OnVerdict": func(tr *validator.Transport, _ *httptrace.ClientTrace) {
			tr.OnVerdict = func(*http.Request, *validator.Evidence, *validator.Verdict) { now() }
		},
		"DialContext": func(tr *validator.Transport, _ *httptrace.ClientTrace) {
			tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				now()
				return new(net.Dialer).DialContext(ctx, network, address)
			}
		},
		"GotConn": func(_ *validator.Transport, trace *httptrace.ClientTrace) {
			trace.GotConn = func(httptrace.GotConnInfo) { now() }
		},
		"GotFirstResponseByte": func(_ *validator.Transport, trace *httptrace.ClientTrace) {
			trace.GotFirstResponseByte = func() { now() }
		},
		"PutIdleConn": func(_ *validator.Transport, trace *httptrace.ClientTrace) { trace.PutIdleConn = func(error) { now() } },
	} {
		for content, answer := range map[string]string{"no content": "HTTP/1.1 204 No Content\r\n\r\n", "content": hello, "a fault": "HTTP/1.1 2000\r\n\r\n"} {
			t.Run(name+", "+content, func(t *testing.T) {
				u := listen(t, says(answer))
				tr := &validator.Transport{MaxConnsPerHost: 1}
				defer tr.CloseIdleConnections()
				trace := &httptrace.ClientTrace{}
				set(tr, trace)
				now = oops
				ask := func() {
					ctx, stop := context.WithTimeout(httptrace.WithClientTrace(t.Context(), trace), time.Minute)
					defer stop()
					q, err := http.NewRequestWithContext(ctx, "GET", u, nil)
					require.NoError(t, err)
					resp, err := tr.RoundTrip(q)
					if err == nil {
						defer resp.Body.Close()
						_, err = io.ReadAll(resp.Body)
					}
					assert.NotErrorIs(t, err, context.DeadlineExceeded)
				}
				if name != "PutIdleConn" || content != "a fault" { // which puts none
					assert.Panics(t, ask)
				}
				ask()
			})
		}
	}
}

// A connection that can neither be looked at nor have a deadline, such as one
// through SSH, carries one exchange; nothing waits for it.
func TestConnectionsWithoutDeadlinesAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &idler{idle: time.Minute, answer: hello}
		tr := &validator.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := o.dial(ctx, network, address)
			return timeless{c}, err
		}}
		for range 2 {
			_, content, err := do(tr, "GET", "http://origin.test/", nil)
			require.NoError(t, err)
			assert.Equal(t, "hello", content)
			time.Sleep(3 * time.Second) // whoever sweeps comes meanwhile
		}
		assert.EqualValues(t, 2, o.closed.Load())
	})
}

type timeless struct{ net.Conn }

var errNoDeadlines = errors.New("deadline not supported")

func (timeless) SetDeadline(time.Time) error      { return errNoDeadlines }
func (timeless) SetReadDeadline(time.Time) error  { return errNoDeadlines }
func (timeless) SetWriteDeadline(time.Time) error { return errNoDeadlines }

// An upload whose content does not come keeps no request from being sent again.
func TestARequestIsSentAgainThoughItsContentDoesNotCome(t *testing.T) {
	u := listen(t, func(number int, c net.Conn, r *bufio.Reader) {
		for n := 0; number > 0 || n == 0; n++ {
			if q, _ := readRequest(r); q == nil {
				return
			}
			io.WriteString(c, hello)
		}
		http.ReadRequest(r) // and closes
	})
	tr, _ := transport(t)
	asksSoon(t, tr, u)
	content := &waits{closed: make(chan bool)}
	q, err := http.NewRequestWithContext(t.Context(), "PUT", u, content)
	require.NoError(t, err)
	q.ContentLength = 5
	q.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("again")), nil }
	resp, err := tr.RoundTrip(q)
	require.NoError(t, err)
	assert.NoError(t, resp.Body.Close())
	<-content.closed
}

// waits is content of which only the first byte comes, even if it is closed.
type waits struct {
	began  bool
	closed chan bool
}

func (w *waits) Read(p []byte) (int, error) {
	if w.began {
		<-w.closed
		return 0, io.ErrUnexpectedEOF
	}
	w.began = true
	return copy(p, "x"), nil
}

func (w *waits) Close() error {
	close(w.closed)
	return nil
}

// A caller that left gives up its turn, though it never closes the body.
func TestACancelledRequestGivesUpItsTurn(t *testing.T) {
	u := listen(t, says("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"))
	tr, _ := transport(t)
	tr.MaxConnsPerHost = 1
	ctx, stop := context.WithCancel(t.Context())
	q, err := http.NewRequestWithContext(ctx, "GET", u, nil)
	require.NoError(t, err)
	left, err := tr.RoundTrip(q)
	require.NoError(t, err)
	stop()
	asksSoon(t, tr, u)
	assert.NoError(t, left.Body.Close())
	asksSoon(t, tr, u)
}

// What is in use while idle connections are closed is not kept after it.
func TestConnectionsInUseAreClosedAfterThem(t *testing.T) {
	ended := make(chan bool, 1)
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		says(hello)(0, c, r)
		ended <- true
	})
	tr, _ := transport(t)
	q, err := http.NewRequestWithContext(t.Context(), "GET", u, nil)
	require.NoError(t, err)
	resp, err := tr.RoundTrip(q)
	require.NoError(t, err)
	tr.CloseIdleConnections()
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	<-ended
}

func TestNoConnectionIsKeptWhereNoneMayBeIdle(t *testing.T) {
	u := listen(t, says(hello))
	tr := &validator.Transport{MaxIdleConns: -1, MaxConnsPerHost: 1}
	asksSoon(t, tr, u)
	asksSoon(t, tr, u)
}

// A hook that ends the exchange is the caller's leaving.
func TestAnExchangeThatAHookEndsIsToldOf(t *testing.T) {
	tr, seen := transport(t)
	u := listen(t, says("HTTP/1.1 103 Early Hints\r\n\r\n"+hello))
	no := errors.New("no")
	trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { return no }}
	q, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", u, nil)
	require.NoError(t, err)
	_, err = tr.RoundTrip(q)
	assert.ErrorIs(t, err, no)
	_, v := seen.last(t)
	assert.True(t, v.OK())
	require.Len(t, v.Notes, 1)
	assert.Equal(t, validator.ClientClosed, v.Notes[0].Reason)
}
