package validator_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// Names that came into the trailer while the content was read are looked at as
// those before it are: no line of them is another's.
func TestTrailersAreWrittenAsTheyMayBe(t *testing.T) {
	wrote := make(chan string, 1)
	u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		var text []byte
		for line := ""; line != "Behind: all\r\n"; {
			var err error
			if line, err = r.ReadString('\n'); err != nil {
				break
			}
			text = append(text, line...)
		}
		wrote <- string(text)
		io.WriteString(c, hello)
	})
	tr, _ := transport(t)
	q, err := http.NewRequestWithContext(t.Context(), "POST", u, nil)
	require.NoError(t, err)
	q.Trailer = http.Header{"Behind": nil}
	q.ContentLength = -1
	q.Body = io.NopCloser(fills(func() {
		q.Trailer["Behind"] = []string{"all"}
		q.Trailer["A: b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost"] = []string{"victim"}
		q.Trailer["Aside"] = []string{"b\r\n\r\nGET /smuggled HTTP/1.1"}
		q.Trailer["Already"] = []string{"good"}
		for _, name := range []string{"Content-Length", "transfer-encoding", "Host", "Trailer"} {
			q.Trailer[name] = []string{"5"}
		}
	}))
	resp, err := tr.RoundTrip(q)
	require.NoError(t, err)
	assert.NoError(t, resp.Body.Close())
	assert.Regexp(t, "\r\n\r\n0\r\nAlready: good\r\nBehind: all\r\n$", <-wrote)
}

// fills is content that has no bytes, and calls it before it ends.
type fills func()

func (f fills) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

// A length that was repeated comes once, also where no content does.
func TestARepeatedContentLengthComesOnceWithoutContentToo(t *testing.T) {
	for method, status := range map[string]string{"HEAD": "200 OK", "GET": "304 Not Modified"} {
		for _, text := range []string{"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n"} {
			tr, seen := transport(t)
			resp, _, err := do(tr, method, listen(t, says("HTTP/1.1 "+status+"\r\n"+text+"\r\n")), nil)
			require.NoError(t, err)
			assert.Equal(t, []string{"5"}, resp.Header["Content-Length"], "%s %q", method, text)
			if method == "HEAD" {
				assert.EqualValues(t, 5, resp.ContentLength)
			}
			_, v := seen.last(t)
			require.NotEmpty(t, v.Notes)
			assert.Equal(t, wire.ContentLengthRepeated, v.Notes[0].Reason)
		}
	}
}

// Content that is as long as what is held is verified whole; longer content is
// given as it comes.
func TestContentOfAllThatIsHeldIsVerified(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
	for text, fails := range map[string]bool{
		chunked:                                true,
		chunked + "0\r\n\r\n":                  false,
		chunked + "x\r\n":                      true,
		chunked + "1\r\nx\r\n":                 false, // too long to be held, and cut
		"HTTP/1.0 200 OK\r\nA: b\r\n\r\nhello": false,
	} {
		u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
			readRequest(r)
			io.WriteString(c, text)
		})
		tr, _ := transport(t)
		tr.HoldContent = 5
		q, err := http.NewRequestWithContext(t.Context(), "GET", u, nil)
		require.NoError(t, err)
		resp, err := tr.RoundTrip(q)
		if fails {
			var fault *validator.Error
			assert.True(t, errors.As(err, &fault), "%q: %v", text, err)
			continue
		}
		if assert.NoError(t, err, "%q", text) {
			b := make([]byte, 5)
			_, err = io.ReadFull(resp.Body, b)
			assert.NoError(t, err)
			assert.Equal(t, "hello", string(b))
			assert.NoError(t, resp.Body.Close())
		}
	}
}

// Room for what is held is made as it comes, not as it is promised.
func TestALengthThatIsNotKeptTakesNoRoom(t *testing.T) {
	for _, length := range []int64{math.MaxInt64, 1 << 60, 1 << 50} {
		u := listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
			readRequest(r)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nhello", length)
		})
		tr, _ := transport(t)
		tr.HoldContent = math.MaxInt64
		assert.NotPanics(t, func() {
			_, _, err := do(tr, "GET", u, nil)
			assert.ErrorIs(t, err, wire.BodyShort)
		}, "%d", length)
	}
}

// Content that is longer than the first room for it is held whole.
func TestLongContentIsHeld(t *testing.T) {
	long := strings.Repeat("why520\n", 100<<10)
	for name, framing := range map[string]string{
		"by length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(long), long),
		"by chunks": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(long), long),
	} {
		for _, hold := range []int64{int64(len(long)), int64(len(long)) + 1, math.MaxInt64} {
			tr, seen := transport(t)
			tr.HoldContent = hold
			q, err := http.NewRequestWithContext(t.Context(), "GET", listen(t, says("HTTP/1.1 200 OK\r\n"+framing)), nil)
			require.NoError(t, err)
			resp, err := tr.RoundTrip(q)
			require.NoError(t, err, name)
			assert.Len(t, seen.list(), 1, "it is over before it is read")
			content, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.True(t, string(content) == long, name)
		}
	}
}

// Close, TransferEncoding and Trailer are what the response's fields say, as
// http.Response documents them, with content or without, and whether the request
// ends the connection or not.
func TestAResponseSaysWhatItsFieldsDo(t *testing.T) {
	chunked, announced := []string{"chunked"}, http.Header{"A": nil, "B": nil}
	for _, c := range []struct {
		method, head, content string
		closes                bool
		coding                []string
		trailer               http.Header
	}{
		{method: "GET", head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", content: "hello"},
		{method: "GET", head: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: a, Close\r\n", closes: true},
		{method: "GET", head: "HTTP/1.1 200 OK\r\nA: b\r\n", content: "hello", closes: true},
		{method: "HEAD", head: "HTTP/1.1 200 OK\r\nA: b\r\n"},
		{method: "GET", head: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", content: "hello", closes: true},
		{method: "GET", head: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n", content: "hello"},
		{method: "GET", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: a, B\r\n", content: "0\r\n\r\n", coding: chunked, trailer: announced},
		{method: "HEAD", head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: a, B\r\n", coding: chunked, trailer: announced},
		{method: "GET", head: "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\nTrailer: a, B\r\n", coding: chunked, trailer: announced},
		{method: "GET", head: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\nA: b\r\n"},
		{method: "HEAD", head: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n"},
	} {
		u := listen(t, says(c.head+"\r\n"+c.content))
		if c.closes {
			u = listen(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				readRequest(r)
				io.WriteString(conn, c.head+"\r\n"+c.content)
			})
		}
		for _, closes := range []bool{false, true} {
			q, err := http.NewRequestWithContext(t.Context(), c.method, u, nil)
			require.NoError(t, err)
			q.Close = closes
			tr, _ := transport(t)
			resp, err := tr.RoundTrip(q)
			if !assert.NoError(t, err, "%s %q", c.method, c.head) {
				continue
			}
			assert.Equal(t, c.closes, resp.Close, "%s %q, close: %v", c.method, c.head, closes)
			assert.Equal(t, c.coding, resp.TransferEncoding, "%s %q", c.method, c.head)
			assert.Equal(t, c.trailer, resp.Trailer, "%s %q", c.method, c.head)
			assert.NotContains(t, resp.Header, "Trailer")
			assert.NotContains(t, resp.Header, "Transfer-Encoding")
			assert.NoError(t, resp.Body.Close())
		}
	}
}
