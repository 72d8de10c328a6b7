package validator_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// An exchange ends with the time for all of it, whatever it is at.
func TestTheTimeForAllBoundsEveryPhase(t *testing.T) {
	silent := func(sends string) func(net.Conn, *bufio.Reader) {
		return func(c net.Conn, r *bufio.Reader) {
			http.ReadRequest(r)
			io.WriteString(c, sends)
			io.Copy(io.Discard, r)
		}
	}
	for name, c := range map[string]struct {
		url  string
		dial func(context.Context, string, string) (net.Conn, error)
		want error
	}{
		"connect": {"http://origin.test/", func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, validator.ConnectionTimeout},
		"TLS": {"https://origin.test/", piped(func(_ net.Conn, r *bufio.Reader) { io.Copy(io.Discard, r) }), validator.TLSHandshakeTimeout},
		"request": {"http://origin.test/", func(context.Context, string, string) (net.Conn, error) {
			c, _ := net.Pipe() // whose other end nobody reads
			return c, nil
		}, validator.RequestWriteTimeout},
		"wait":    {"http://origin.test/", piped(silent("")), wire.FirstByteTimeout},
		"head":    {"http://origin.test/", piped(silent("HTTP/1.1 200")), wire.HeadDeadline},
		"content": {"http://origin.test/", piped(silent("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")), wire.BodyDeadline},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const total = 300 * time.Millisecond
				tr, seen := transport(t)
				tr.DialContext, tr.Deadlines = c.dial, validator.Deadlines{Total: total, Connect: time.Hour, TLS: time.Hour}
				began := time.Now()
				_, _, err := do(tr, "GET", c.url, nil)
				assert.ErrorIs(t, err, c.want)
				assert.Equal(t, total, time.Since(began))
				assert.Len(t, seen.list(), 1)
			})
		})
	}
}

// Time in a line of our own is no origin's fault: neither where it is over in the
// line, nor where an origin that would have had all of it was left too little.
func TestTheTimeForAllMayPassInLine(t *testing.T) {
	const total = 500 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		tr, seen := transport(t)
		tr.MaxConnsPerHost, tr.Deadlines = 1, validator.Deadlines{Total: total}
		tr.DialContext = piped(func(c net.Conn, r *bufio.Reader) {
			for q, _ := readRequest(r); q != nil; q, _ = readRequest(r) {
				time.Sleep(total * 2 / 5)
				if _, err := io.WriteString(c, hello); err != nil {
					return
				}
			}
		})
		var all sync.WaitGroup
		errs := make(chan error, 4)
		for range cap(errs) {
			all.Go(func() {
				began := time.Now()
				_, _, err := do(tr, "GET", "http://origin.test/", nil)
				if errs <- err; err != nil {
					assert.Equal(t, total, time.Since(began))
				}
			})
		}
		all.Wait()
		close(errs)
		good := 0
		for err := range errs {
			if err == nil {
				good++
				continue
			}
			var local *validator.LocalError
			require.ErrorAs(t, err, &local)
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			assert.ErrorIs(t, err, validator.ErrConnectionLimit)
			var failed *validator.Error
			assert.False(t, errors.As(err, &failed))
		}
		assert.Equal(t, 2, good)
		for _, v := range seen.list() {
			assert.True(t, v.OK())
		}
		assert.Equal(t, []wire.Reason{validator.ClientClosed}, seen.notes(), "of the request that was sent")

		tr.CloseIdleConnections()
		_, _, err := do(tr, "GET", "http://origin.test/", nil)
		assert.NoError(t, err, "no turn was lost")
	})
}
