package validator_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
)

// An idler is an origin in a bubble that closes connections which were idle for
// a time. What it sends, its close too, is on the way for a moment.
type idler struct {
	idle   time.Duration
	answer string
	closed atomic.Int32 // connections that the other side closed
}

const onTheWay = 50 * time.Millisecond

func (o *idler) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go o.serve(theirs)
	return &counted{Conn: ours, closed: &o.closed}, nil
}

func (o *idler) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		c.SetReadDeadline(time.Now().Add(o.idle))
		if q, _ := readRequest(r); q == nil {
			break
		}
		if _, err := io.WriteString(c, o.answer); err != nil {
			return
		}
	}
	// It is closed here, but nobody there knows yet: what comes now is lost.
	c.SetReadDeadline(time.Now().Add(onTheWay))
	io.Copy(io.Discard, c)
}

// counted counts its Close.
type counted struct {
	net.Conn
	closed *atomic.Int32
	done   atomic.Bool
}

func (c *counted) Close() error {
	if !c.done.Swap(true) {
		c.closed.Add(1)
	}
	return c.Conn.Close()
}

// askForTenMinutes makes requests that must not be sent twice, at random
// intervals around the time after which connections are closed; it gives how
// many there were, and how many failed.
func askForTenMinutes(rt http.RoundTripper, around time.Duration) (asked, failed int) {
	random := rand.New(rand.NewPCG(520, 1))
	client := &http.Client{Transport: rt}
	time.Sleep(time.Second)
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); asked++ {
		resp, err := client.Post("http://origin.test/", "text/plain", strings.NewReader("once"))
		if err != nil {
			failed++
		} else {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		pause := around - 2*onTheWay + time.Duration(random.Int64N(int64(4*onTheWay)))
		if asked == 0 {
			pause = 2 * around // the origin's habit shows
		}
		time.Sleep(pause)
	}
	return asked, failed
}

// An origin that closes idle connections after 5 s, asked at intervals around
// that, makes requests through http.Transport fail, and none through ours:
// whether it says so in a Keep-Alive field or its habit has to be learned.
func TestIdleConnectionsAreRetiredBeforeTheOriginClosesThem(t *testing.T) {
	const idle = 5 * time.Second
	for name, field := range map[string]string{"said": "Keep-Alive: timeout=5\r\n", "learned": ""} {
		t.Run(name, func(t *testing.T) {
			answer := "HTTP/1.1 200 OK\r\n" + field + "Content-Length: 5\r\n\r\nhello"
			synctest.Test(t, func(t *testing.T) {
				o := &idler{idle: idle, answer: answer}
				tr := &validator.Transport{DialContext: o.dial}
				asked, failed := askForTenMinutes(tr, idle)
				tr.CloseIdleConnections()
				assert.Zero(t, failed, "of %d", asked)
				assert.Greater(t, asked, 100)
			})
			synctest.Test(t, func(t *testing.T) {
				o := &idler{idle: idle, answer: answer}
				tr := &http.Transport{DialContext: o.dial}
				asked, failed := askForTenMinutes(tr, idle)
				tr.CloseIdleConnections()
				assert.Positive(t, failed, "of %d", asked)
			})
		})
	}
}

// Whichever of its lines has it, and whatever else stands there.
func TestAKeepAliveFieldIsObeyed(t *testing.T) {
	for fields, most := range map[string]time.Duration{
		"":                                     time.Hour,
		"Keep-Alive: max=9\r\n":                time.Hour,
		"Keep-Alive: timeout=\r\n":             time.Hour,
		"Keep-Alive: timeout=8\r\n":            7 * time.Second,
		"Keep-Alive: max=9, Timeout=\"8\"\r\n": 7 * time.Second,
		"Keep-Alive: max=9\r\nKeep-Alive: timeout=8\r\n":            7 * time.Second,
		"Keep-Alive: timeout=8\r\nKeep-Alive: timeout=9, max=9\r\n": 7 * time.Second,
		"Keep-Alive: timeout=0\r\n":                                 10 * time.Millisecond, // as good as at once
	} {
		synctest.Test(t, func(t *testing.T) {
			tr, seen := transport(t)
			tr.IdleConnTimeout = time.Hour
			tr.DialContext = (&idler{idle: 2 * time.Hour, answer: "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: 5\r\n\r\nhello"}).dial
			for _, pause := range []time.Duration{0, most - time.Millisecond, most + time.Millisecond} {
				time.Sleep(pause)
				_, _, err := do(tr, "GET", "http://origin.test/", nil)
				require.NoError(t, err)
				e, _ := seen.last(t)
				assert.Equal(t, pause > 0 && pause < most, e.Reused, "%q after %v", fields, pause)
			}
		})
	}
}

// A connection that the origin closed is closed here, though nobody asks.
func TestConnectionsThatWereClosedWhileIdleAreSweptAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &idler{idle: 3 * time.Second, answer: hello}
		tr := &validator.Transport{DialContext: o.dial}
		_, _, err := do(tr, "GET", "http://origin.test/", nil)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		assert.Zero(t, o.closed.Load())
		time.Sleep(3 * time.Second)
		assert.EqualValues(t, 1, o.closed.Load())
	})
}

func TestIdleConnectionsAreClosedAfterTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &idler{idle: time.Hour, answer: hello}
		tr := &validator.Transport{DialContext: o.dial, IdleConnTimeout: 10 * time.Second}
		_, _, err := do(tr, "GET", "http://origin.test/", nil)
		require.NoError(t, err)
		time.Sleep(9 * time.Second)
		assert.Zero(t, o.closed.Load())
		time.Sleep(3 * time.Second)
		assert.EqualValues(t, 1, o.closed.Load())
	})
}

func TestTooManyIdleConnectionsAreClosed(t *testing.T) {
	for name, c := range map[string]struct {
		all, each int
		left      int
	}{"of all": {all: 3, left: 3}, "of one": {each: 2, left: 4}, "none": {each: -1, left: 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &idler{idle: time.Hour, answer: hello}
				tr := &validator.Transport{DialContext: o.dial, MaxIdleConns: c.all, MaxIdleConnsPerHost: c.each}
				var open []*http.Response
				for i := range 10 {
					q, err := http.NewRequest("GET", fmt.Sprintf("http://origin%d.test/", i%2), nil)
					require.NoError(t, err)
					resp, err := tr.RoundTrip(q)
					require.NoError(t, err)
					open = append(open, resp)
				}
				for _, resp := range open {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				assert.EqualValues(t, 10-c.left, o.closed.Load())
				tr.CloseIdleConnections()
				assert.EqualValues(t, 10, o.closed.Load())
			})
		})
	}
}

// Each phase has its deadline, and its reason.
func TestDeadlinesOfTransport(t *testing.T) {
	for _, c := range []struct {
		sends     string
		deadlines validator.Deadlines
		want      string
	}{
		{"", validator.Deadlines{FirstByte: time.Second}, "first-byte-timeout"},
		{"", validator.Deadlines{Head: time.Second}, "first-byte-timeout"},
		{"HTTP/1.1 200 OK\r\n", validator.Deadlines{Idle: time.Second}, "head-stalled"},
		{"HTTP/1.1 200 OK\r\n", validator.Deadlines{Head: time.Second}, "head-deadline"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", validator.Deadlines{Idle: time.Second}, "body-stalled"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", validator.Deadlines{Total: time.Second}, "body-deadline"},
	} {
		t.Run(c.want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &idler{idle: time.Hour, answer: c.sends}
				tr := &validator.Transport{DialContext: o.dial, Deadlines: c.deadlines}
				began := time.Now()
				_, _, err := do(tr, "GET", "http://origin.test/", nil)
				require.Error(t, err)
				assert.Contains(t, err.Error(), c.want+":")
				assert.Equal(t, time.Second, time.Since(began))
				var timeout net.Error
				require.ErrorAs(t, err, &timeout)
				assert.True(t, timeout.Timeout())
				assert.EqualValues(t, 1, o.closed.Load())
			})
		})
	}
}

// A closing is a connection whose origin closes it between the look at it and
// the request.
type closing struct {
	*net.TCPConn
	requests int
	end      func()
}

func (c *closing) Write(b []byte) (int, error) {
	if c.requests++; c.requests == 2 {
		c.end()
		c.TCPConn.Read(make([]byte, 1)) // returns when the FIN is here
	}
	return c.TCPConn.Write(b)
}

// The origin's FIN shows that it had received nothing of the request: it was
// never applied, and any method may be sent again.
func TestRequestThatTheOriginNeverReceivedIsSentAgain(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what was acknowledged is known on Linux alone: skipped")
	}
	ends := make(chan net.Conn, 2)
	var received atomic.Int32
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		ends <- c
		for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
			received.Add(1)
			io.WriteString(c, hello)
		}
	})
	tr, seen := transport(t)
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &closing{TCPConn: c.(*net.TCPConn), end: func() { (<-ends).Close() }}, nil
	}
	for range 2 {
		_, got, err := do(tr, "POST", u, strings.NewReader("once"))
		require.NoError(t, err)
		assert.Equal(t, "hello", got)
	}
	e, _ := seen.last(t)
	assert.Equal(t, 2, e.Attempts)
	assert.EqualValues(t, 2, received.Load(), "each request once")
}
