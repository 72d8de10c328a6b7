package validator_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
)

// streaming gives a request whose content of unknown length comes from content,
// and a channel that tells of its end, with the error.
func streaming(t *testing.T, url string, content io.Reader) (*http.Request, chan error) {
	t.Helper()
	sent := make(chan error, 1)
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) { sent <- info.Err }}
	ctx := httptrace.WithClientTrace(t.Context(), trace)
	q, err := http.NewRequestWithContext(ctx, "POST", url, struct{ io.Reader }{content})
	require.NoError(t, err)
	return q, sent
}

// The end of an upload wakes the reader: the deadline that is over then must not
// stay, be there another or none, nor in a tunnel.
func TestAnUploadThatEndsLeavesNoDeadlineBehind(t *testing.T) {
	const (
		length = "Content-Length: 5\r\n\r\n"
		good   = "HTTP/1.1 200 OK\r\n" + length
		tunnel = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
	)
	for name, k := range map[string]struct {
		deadlines    validator.Deadlines
		early, later string
	}{
		"of writing alone":           {validator.Deadlines{Write: time.Minute}, "", good + "hello"},
		"between bytes":              {validator.Deadlines{Idle: time.Minute}, "", good + "hello"},
		"between bytes, head before": {validator.Deadlines{Idle: time.Minute}, good, "hello"},
		"of the head, which came":    {validator.Deadlines{Head: time.Minute}, good, "hello"},
		"in a tunnel":                {validator.Deadlines{Head: time.Minute}, tunnel, "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			done := make(chan bool, 1)
			u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
				q, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				io.WriteString(c, k.early)
				io.Copy(io.Discard, q.Body)
				<-done
				io.WriteString(c, k.later)
				io.Copy(io.Discard, r)
			})
			tr := &validator.Transport{Deadlines: k.deadlines}
			defer tr.CloseIdleConnections()
			content, feed := io.Pipe()
			q, sent := streaming(t, u, content)
			q.Header.Set("Connection", "Upgrade")
			q.Header.Set("Upgrade", "x")
			finish := func() {
				io.WriteString(feed, "content")
				feed.Close()
				assert.NoError(t, <-sent)
				done <- true
			}
			if k.early == "" {
				go finish()
			}
			resp, err := tr.RoundTrip(q)
			require.NoError(t, err)
			defer resp.Body.Close()
			if k.early != "" {
				go finish()
			}
			var b [5]byte
			_, err = io.ReadFull(resp.Body, b[:])
			assert.NoError(t, err)
			assert.Equal(t, "hello", string(b[:]))
		})
	}
}

// A deadline of writing, too, is the upload's and not the tunnel's.
func TestATunnelHasNoDeadlineOfAnUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = time.Second
		tr := &validator.Transport{Deadlines: validator.Deadlines{Write: limit}, DialContext: piped(func(c net.Conn, r *bufio.Reader) {
			q, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			io.Copy(io.Discard, q.Body)
			io.Copy(c, r)
		})}
		content, feed := io.Pipe()
		q, sent := streaming(t, "http://origin.test/", content)
		q.Header.Set("Connection", "Upgrade")
		q.Header.Set("Upgrade", "x")
		resp, err := tr.RoundTrip(q)
		require.NoError(t, err)
		defer resp.Body.Close()
		go func() {
			io.WriteString(feed, "content")
			feed.Close()
		}()
		require.NoError(t, <-sent)
		time.Sleep(2 * limit) // the deadline is over
		_, err = io.WriteString(resp.Body.(io.Writer), "hello")
		assert.NoError(t, err)
		var b [5]byte
		_, err = io.ReadFull(resp.Body, b[:])
		assert.NoError(t, err)
	})
}

// piped gives a function that dials an origin in a bubble.
func piped(serve func(c net.Conn, r *bufio.Reader)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			serve(theirs, bufio.NewReader(theirs))
		}()
		return ours, nil
	}
}

// An origin that answers and takes no more of the content: its answer is given
// nevertheless, after the time for writing too.
func TestAnAnswerIsNotCutForContentThatIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan bool, 1)
		defer close(stuck)
		tr := &validator.Transport{Deadlines: validator.Deadlines{Write: time.Second}, DialContext: piped(func(c net.Conn, r *bufio.Reader) {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nhe")
			<-stuck
			io.WriteString(c, "llo")
			<-stuck
		})}
		defer tr.CloseIdleConnections()
		q, sent := streaming(t, "http://origin.test/", endlessContent{})
		resp, err := tr.RoundTrip(q)
		require.NoError(t, err)
		defer resp.Body.Close()
		assert.Error(t, <-sent)
		stuck <- true
		content, err := io.ReadAll(resp.Body)
		assert.NoError(t, err)
		assert.Equal(t, "hello", string(content))
	})
}

type endlessContent struct{}

func (endlessContent) Read(p []byte) (int, error) { return copy(p, strings.Repeat("x", len(p))), nil }
