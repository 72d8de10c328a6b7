package validator_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// A connection that ended while it was idle is found out when the request would be
// written: the request is sent on another, in the turn of that, and is no second
// attempt.
func TestARequestThatMustNotBeSentTwiceFindsOutDeadConnections(t *testing.T) {
	const conns = 3
	closed := make(chan bool, conns)
	u := listen(t, func(number int, c net.Conn, r *bufio.Reader) {
		readRequest(r)
		io.WriteString(c, hello)
		if number < conns {
			c.Close()
			closed <- true
		}
		says(hello)(number, c, r)
	})
	tr, seen := transport(t)
	tr.MaxConnsPerHost = conns
	var open []*http.Response
	for range conns {
		resp, err := tr.RoundTrip(post(t, u))
		require.NoError(t, err)
		open = append(open, resp)
		<-closed
	}
	for _, resp := range open { // all are idle from here on, and dead
		io.Copy(io.Discard, resp.Body)
	}
	for range conns {
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		resp, err := tr.RoundTrip(post(t, u).WithContext(ctx))
		require.NoError(t, err)
		e, _ := seen.last(t)
		assert.Equal(t, 1, e.Attempts)
		defer stop()
		open = append(open, resp)
	}
	for _, resp := range open[conns:] {
		resp.Body.Close()
	}
}

// The system takes a part of a head that is too large for it at once, and the rest
// later.
func TestALargeHeadIsSentWholeOnAReusedConnection(t *testing.T) {
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nLarge: %d\r\n\r\n", len(q.Header.Get("Large")))
		}
	})
	tr, seen := transport(t)
	for _, size := range []int{0, 16 << 20, 1} {
		q := post(t, u)
		q.Header.Set("Large", strings.Repeat("x", size))
		resp, err := tr.RoundTrip(q)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint(size), resp.Header.Get("Large"))
		e, _ := seen.last(t)
		assert.Equal(t, size > 0, e.Reused)
		assert.Greater(t, e.Sent, int64(size))
	}
}

// silentAt serves hello but to the request of that number, which it tells of.
func silentAt(number int, asked chan bool) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		for i := 1; ; i++ {
			if q, _ := readRequest(r); q == nil {
				return
			}
			if i == number {
				asked <- true
				continue
			}
			io.WriteString(c, hello)
		}
	}
}

func TestAReusedConnectionIsWaitedForUntilTheDeadline(t *testing.T) {
	u := listen(t, silentAt(3, make(chan bool, 1)))
	tr, _ := transport(t)
	tr.Deadlines = validator.Deadlines{FirstByte: 50 * time.Millisecond}
	for range 2 {
		_, _, err := do(tr, "POST", u, nil)
		require.NoError(t, err)
	}
	began := time.Now()
	_, _, err := do(tr, "POST", u, nil)
	assert.ErrorIs(t, err, wire.FirstByteTimeout)
	assert.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)
}

// The deadline of one exchange is not that of the next, be it over or yet to come.
func TestEachExchangeHasADeadlineOfItsOwn(t *testing.T) {
	const limit = 2 * time.Second
	for name, k := range map[string]struct{ pause, answer time.Duration }{
		"it passes while nothing is asked": {limit + limit/20, 0},
		"it passes before the next answer": {limit / 2, limit * 7 / 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
				wait := time.Duration(0)
				for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
					time.Sleep(wait)
					io.WriteString(c, hello)
					wait = k.answer
				}
			})
			tr, seen := transport(t)
			tr.Deadlines = validator.Deadlines{FirstByte: limit}
			for _, pause := range []time.Duration{0, k.pause} {
				time.Sleep(pause)
				_, content, err := do(tr, "POST", u, nil)
				require.NoError(t, err)
				assert.Equal(t, "hello", content)
			}
			e, _ := seen.last(t)
			assert.True(t, e.Reused)
		})
	}
}

func TestACallerMayLeaveAReusedConnection(t *testing.T) {
	asked := make(chan bool, 1)
	u := listen(t, silentAt(2, asked))
	tr, _ := transport(t)
	_, _, err := do(tr, "POST", u, nil)
	require.NoError(t, err)
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-asked
		leave()
	}()
	_, err = tr.RoundTrip(post(t, u).WithContext(ctx))
	assert.ErrorIs(t, err, context.Canceled)
}

// reads gives how often this process called read(2).
func reads(t *testing.T) (n int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("the system does not count calls: skipped")
	}
	_, err = fmt.Sscanf(string(b), "rchar: %d\nwchar: %d\nsyscr: %d", new(int), new(int), &n)
	require.NoError(t, err)
	return n
}

// On one CPU nobody answers before all else waits, so that every Read that does
// not wait for something to read is in vain: the origin's is, and ours must not be.
func TestAnExchangeOnAReusedConnectionReadsOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	u := listen(t, quiet(hello))
	tr := &validator.Transport{}
	defer tr.CloseIdleConnections()
	const exchanges = 200
	q, b := post(t, u), make([]byte, 10)
	before := 0
	for i := range exchanges + 1 {
		if i == 1 {
			before = reads(t)
		}
		resp, err := tr.RoundTrip(q)
		require.NoError(t, err)
		n, err := resp.Body.Read(b)
		require.Equal(t, io.EOF, err)
		require.Equal(t, "hello", string(b[:n]))
	}
	const origins = 2
	assert.InDelta(t, exchanges*(1+origins), reads(t)-before, exchanges/4)
}
