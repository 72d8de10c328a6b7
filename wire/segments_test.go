package wire_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/wire"
)

// chunkedHead is a head behind which chunks come.
const chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

// Segments, many at once, are the content of chunks whose sizes change, however
// these are written and wherever the bytes are split.
func TestSegmentsOfChangingSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	sizes := []int{1, 1, 1, 15, 16, 16, 17, 0x1F, 0x1F, 0x100, 0x101, 0x1000}
	for range 200 {
		var raw, content strings.Builder
		raw.WriteString(chunkedHead)
		for range 1 + r.IntN(30) {
			data := strings.Repeat(string(rune('a'+r.IntN(26))), sizes[r.IntN(len(sizes))])
			format := []string{"%x\r\n%s\r\n", "%X\r\n%s\r\n", "0%x\r\n%s\r\n", "%x;a\r\n%s\r\n"}[max(r.IntN(10)-6, 0)]
			fmt.Fprintf(&raw, format, len(data), data)
			content.WriteString(data)
		}
		raw.WriteString("0\r\n\r\n")
		require.Equal(t, content.String(), segmented(t, raw.String(), 1+r.IntN(raw.Len())), "%q", raw.String())
	}
}

// segmented gives the content of a chunked response, up to split of which come
// first.
func segmented(t *testing.T, raw string, split int) string {
	t.Helper()
	var (
		s       wire.Stream
		content strings.Builder
		spans   [7]wire.Span
	)
	s.Expect(wire.Request{})
	for from, to := 0, split; ; {
		b := []byte(raw[from:to])
		if segments, n := s.Segments(b, spans[:]); n > 0 {
			for _, segment := range segments {
				content.Write(segment.Of(b))
			}
			from += n
			continue
		}
		ev, n, err := s.Next(b)
		from += n
		switch {
		case err == wire.ErrIncomplete && to < len(raw):
			to = len(raw)
			continue
		case ev == wire.Done:
			require.Equal(t, len(raw), from)
			require.Equal(t, int64(content.Len()), s.Bytes)
			return content.String()
		case ev == wire.Content:
			content.Write(b[n-s.Segment : n])
		}
		require.NoError(t, err)
	}
}

// The empty trailer section, too, has to have room in its budget.
func TestTheEndOfChunksHasABudget(t *testing.T) {
	for _, data := range []string{"1\r\na\r\n", ""} {
		b := []byte(chunkedHead + data + "0\r\n\r\n")
		var s wire.Stream
		s.Limits.Trailer = 1
		s.Expect(wire.Request{})
		var err error
		for err == nil {
			var n int
			_, n, err = s.Next(b)
			b = b[n:]
		}
		assert.Equal(t, wire.TrailerTooLarge, err, "%q", data)
	}
}
