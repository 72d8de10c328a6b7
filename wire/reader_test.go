package wire_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/wire"
)

// events reads r to its end: the bytes of each event, and the error.
func events(r *wire.Reader) (all []string, err error) {
	for {
		ev, b, err := r.Next()
		if err != nil || ev == wire.NoEvent {
			return all, err
		}
		if last := len(all) - 1; ev == wire.Content && last >= 0 && strings.HasPrefix(all[last], "content ") {
			all[last] += string(b)
			continue
		}
		all = append(all, map[wire.Event]string{
			wire.InterimHead: "interim ", wire.FinalHead: "final ", wire.Content: "content ", wire.TrailerSection: "trailers ",
			wire.Done: "done", wire.Surplus: "surplus ", wire.Tunnelled: "tunnelled ", wire.Measuring: "measuring ",
		}[ev]+string(b))
		if ev == wire.Done {
			return all, nil
		}
	}
}

// What a Reader says does not depend on how its source reads.
func TestReaderOverEverySource(t *testing.T) {
	const text = "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"5;a=b\r\nhello\r\n7\r\n, world\r\n0\r\nSum: 1\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
	want := []string{
		"interim HTTP/1.1 103 Early\r\nLink: x\r\n\r\n",
		"final HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"content hello, world", "trailers Sum: 1\r\n\r\n", "done",
	}
	for name, source := range map[string]func(io.Reader) io.Reader{
		"whole":             func(r io.Reader) io.Reader { return r },
		"a byte at a time":  iotest.OneByteReader,
		"halves":            iotest.HalfReader,
		"data with the end": iotest.DataErrReader,
	} {
		r := wire.NewReader(source(strings.NewReader(text)))
		got, err := events(r)
		assert.NoError(t, err, name)
		assert.Equal(t, want, got, name)
		r.Stream.Expect(wire.Request{})
		got, err = events(r)
		assert.NoError(t, err, name)
		assert.Equal(t, []string{"final HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "content x", "done"}, got, name)
	}
}

// A Reader and a Stream agree on every vector that ends in order.
func TestReaderOverVectors(t *testing.T) {
	for _, v := range fuzz.Vectors() {
		if v.End != wire.FIN {
			continue
		}
		for name, source := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader} {
			r := wire.NewReader(source(strings.NewReader(string(v.Bytes))))
			r.Stream = wire.Stream{Limits: v.Limits, Survey: v.Limits.Measure > 0}
			r.Stream.Expect(v.Request)
			_, err := events(r)
			if v.Reason != wire.OK {
				assert.Equal(t, v.Reason, err, "%s, %s", v.Name, name)
				_, at := r.Stream.Fault()
				assert.Equal(t, v.Offset, at, "%s, %s", v.Name, name)
			} else if err != nil {
				assert.ErrorIs(t, err, io.EOF, "%s, %s", v.Name, name)
			}
		}
	}
}

func TestReaderGivesErrorsOfItsSource(t *testing.T) {
	broken := errors.New("the cable is out")
	half := io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Le"), iotest.ErrReader(broken))
	_, err := events(wire.NewReader(half))
	assert.Equal(t, broken, err, "an error that is no end is passed on")

	r := wire.NewReader(io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Le"), iotest.ErrReader(broken)))
	r.End = func(err error) wire.End {
		assert.Equal(t, broken, err)
		return wire.RST
	}
	_, err = events(r)
	assert.Equal(t, wire.HeadReset, err, "or says how the stream ended")

	_, err = events(wire.NewReader(io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nA: b\r\n\r\nhal"), iotest.ErrReader(io.ErrUnexpectedEOF))))
	assert.Equal(t, wire.TLSTruncated, err)

	_, err = events(wire.NewReader(stuck{}))
	assert.Equal(t, io.ErrNoProgress, err)
}

// stuck is a source that never moves.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// counted counts what is read from it.
type counted struct {
	io.Reader
	n int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += n
	return n, err
}

func TestReaderServesResponseAfterResponse(t *testing.T) {
	r := wire.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 204 None\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nbye"))
	for _, want := range [][]string{
		{"final HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "content hi", "done"},
		{"final HTTP/1.1 204 None\r\nA: b\r\n\r\n", "done"},
		{"final HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "content bye", "done"},
	} {
		got, err := events(r)
		assert.Equal(t, want, got)
		require.NoError(t, err)
		r.Stream.Expect(wire.Request{})
	}
	_, err := events(r)
	assert.Equal(t, wire.ClosedWithoutAByte, err)
}

func TestReaderHandsOverWhatItRead(t *testing.T) {
	r := wire.NewReader(strings.NewReader("HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\nfirst bytes"))
	r.Stream.Expect(wire.Request{Upgrade: true})
	ev, _, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, wire.FinalHead, ev)
	assert.Equal(t, "first bytes", string(r.Buffered()))
}

// However large the response, the Reader holds little of it.
func TestReaderReadsAheadByOneBuffer(t *testing.T) {
	content := &counted{Reader: io.LimitReader(zeros{}, 64<<20)}
	r := wire.NewReader(io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n"), content))
	seen := 0
	for {
		ev, b, err := r.Next()
		require.NoError(t, err)
		if ev == wire.Done {
			break
		}
		if ev == wire.Content {
			seen += len(b)
			require.LessOrEqual(t, content.n-seen, 4096)
			require.LessOrEqual(t, cap(b), 16<<10)
		}
	}
	assert.Equal(t, 64<<20, seen)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// Segments takes what Next would have given as Content, and nothing else.
func TestSegmentsAreWhatNextGives(t *testing.T) {
	read := func(v fuzz.Vector, several int) (content []byte, bytes, offset int64, err error) {
		s, b, spans := stream(v), v.Bytes, make([]wire.Span, several)
		s.Expect(v.Request)
		for {
			segments, n := s.Segments(b, spans)
			for _, segment := range segments {
				content = append(content, segment.Of(b)...)
			}
			if n > 0 {
				b = b[n:]
				continue
			}
			ev, n, err := s.Next(b)
			if ev == wire.Content {
				content = append(content, b[n-s.Segment:n]...)
			}
			if b = b[n:]; err != nil || ev == wire.Done {
				return content, s.Bytes, s.Offset(), err
			}
		}
	}
	taken := 0
	vectors := fuzz.Vectors()
	many := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\nA\r\n0123456789\r\n", 20) + "0\r\n\r\n"
	vectors = append(vectors, fuzz.Vector{Name: "many", Bytes: []byte(many)}, fuzz.Vector{Name: "cut", Bytes: []byte(many[:len(many)-30])})
	for _, v := range vectors {
		content, n, offset, err := read(v, 0)
		for _, several := range []int{1, 2, 7, 100} {
			c, m, o, e := read(v, several)
			assert.Equal(t, []any{string(content), n, offset, err}, []any{string(c), m, o, e}, "%s, %d at a time", v.Name, several)
		}
		taken += len(content)
	}
	assert.Positive(t, taken)
}

// Chunks that are taken at once are those of the state machine, which single
// bytes go to: with every byte of some framing damaged.
func TestDamagedChunks(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	body := strings.Repeat("5\r\nhello\r\n", 3) + "00a\r\n0123456789\r\n0\r\nA: b\r\n\r\n"
	for at := range body {
		for _, c := range []string{"\r", "\n", "\r\n", ";", ";a", " ", "0", "4", "f", "G", "\x00", "\xb5", "0000000", "ffffffff", ""} {
			for _, end := range []string{body[at+1:], body[at:]} {
				b := []byte(head + body[:at] + c + end)
				for _, l := range []wire.Limits{{}, {Body: 12}, {ChunkLine: 2}, {ChunkLine: 7}} {
					s := &wire.Stream{Limits: l}
					want := read(s, wire.Request{}, b, wire.FIN, one)
					assert.Equal(t, want, read(s, wire.Request{}, b, wire.FIN, whole), "%q, %+v", b, l)
				}
			}
		}
	}
}
