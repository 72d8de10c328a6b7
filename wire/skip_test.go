package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/wire"
)

// Content that is skipped ends as it would if it had been read.
func TestSkippedContentCounts(t *testing.T) {
	const size = 1000
	content := strings.Repeat("c", size)
	for name, response := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + content,
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + content + "\r\n0\r\n\r\n",
		"close":   "HTTP/1.1 200 OK\r\nServer: s\r\n\r\n" + content,
	} {
		begin := strings.Index(response, content)
		for _, n := range []int{0, 1, size / 2, size - 1, size} {
			var s wire.Stream
			at := take(&s, response[:begin+(size-n)/2])
			require.Equal(t, begin+(size-n)/2, at, name)
			require.True(t, s.Skip(int64(n)), "%s, %d bytes", name, n)
			take(&s, response[at+n:])
			assert.EqualValues(t, size, s.Bytes, "%s, %d bytes", name, n)
			assert.EqualValues(t, len(response), s.Offset(), "%s, %d bytes", name, n)
			assert.NoError(t, s.Close(wire.FIN), "%s, %d bytes", name, n)
		}
	}
}

// take gives s all of b; it gives how many bytes s is done with.
func take(s *wire.Stream, b string) int {
	n := 0
	for {
		_, done, err := s.Next([]byte(b[n:]))
		if n += done; err != nil {
			return n
		}
	}
}

func TestWhatIsNoContentIsNotSkipped(t *testing.T) {
	var s wire.Stream
	assert.False(t, s.Skip(1), "before the head")
	take(&s, "HTTP/1.1 200 OK\r\n")
	assert.False(t, s.Skip(1), "within the head")
	s.Expect(wire.Request{})
	take(&s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
	assert.False(t, s.Skip(4), "more than the content has")
	assert.False(t, s.Skip(-1))
	assert.True(t, s.Skip(3))
	s.Expect(wire.Request{})
	take(&s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")
	assert.False(t, s.Skip(3), "the end of the chunk, and framing")
	assert.True(t, s.Skip(2))
	assert.False(t, s.Skip(1), "framing")
}
