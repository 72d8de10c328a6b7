package wire_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/wire"
)

// RFC 9112 section 6.3, rule by rule: what delimits the content of an answer to
// each method, by status and fields.
func TestDelimiters(t *testing.T) {
	const length, chunked = "Content-Length: 5\r\n", "Transfer-Encoding: Chunked\r\n"
	upgrade := wire.Request{Upgrade: true}
	for _, c := range []struct {
		q      wire.Request
		status int
		fields string
		want   wire.Delimiter
		length int64
	}{
		{wire.Request{}, 200, "", wire.ByClose, 0},
		{wire.Request{}, 200, length, wire.ByLength, 5},
		{wire.Request{}, 200, chunked, wire.ByChunks, 0},
		{wire.Request{}, 404, length, wire.ByLength, 5},
		{wire.Request{}, 100, length, wire.NoContent, 0},
		{wire.Request{}, 199, chunked, wire.NoContent, 0},
		{wire.Request{}, 204, length, wire.NoContent, 0},
		{wire.Request{}, 204, length + chunked, wire.NoContent, 0},
		{wire.Request{}, 205, length, wire.ByLength, 5},
		{wire.Request{}, 304, length, wire.NoContent, 0},
		{wire.Request{}, 304, chunked, wire.NoContent, 0},
		{wire.Request{Method: "HEAD"}, 200, length, wire.NoContent, 0},
		{wire.Request{Method: "HEAD"}, 500, chunked, wire.NoContent, 0},
		{wire.Request{Method: "CONNECT"}, 200, length, wire.Tunnel, 0},
		{wire.Request{Method: "CONNECT"}, 299, chunked, wire.Tunnel, 0},
		{wire.Request{Method: "CONNECT"}, 300, length, wire.ByLength, 5},
		{wire.Request{Method: "head"}, 200, length, wire.ByLength, 5}, // methods are case-sensitive
		{wire.Request{Method: "POST"}, 200, length, wire.ByLength, 5},
		{upgrade, 101, "", wire.Tunnel, 0},
		{upgrade, 200, length, wire.ByLength, 5},
	} {
		text := fmt.Sprintf("HTTP/1.1 %d x\r\nServer: y\r\n%s\r\n", c.status, c.fields)
		f, _, err := parsed(t, text).Framing([]byte(text), c.q, wire.Set{})
		assert.NoError(t, err, text)
		assert.Equal(t, c.want.String(), f.Delimiter.String(), "%+v, %q", c.q, text)
		if f.Delimiter == wire.ByLength {
			assert.Equal(t, c.length, f.Length, text)
		}
	}
}

// Names that differ from Content-Length or Transfer-Encoding in one byte frame
// nothing; in another case they do.
func TestOtherNamesFrameNothing(t *testing.T) {
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "CONTENT-LENGTH", "transfer-encoding"} {
		for i := range name {
			for _, c := range []byte{name[i] ^ 0x20, 'x', '_', '-', name[i] + 1} {
				other := name[:i] + string(c) + name[i+1:]
				for _, value := range []string{"x", "7", "chunked"} {
					b := []byte("HTTP/1.1 200 OK\r\n" + other + ": " + value + "\r\nA: b\r\n\r\n")
					var p wire.Parser
					if n, err := p.Parse(b); err != nil || n != len(b) {
						continue // no name
					}
					f, _, err := p.Head.Framing(b, wire.Request{}, wire.Set{})
					frames := err != nil || f.Delimiter != wire.ByClose
					assert.Equal(t, strings.EqualFold(name, other), frames, "%s: %s", other, value)
				}
			}
		}
	}
}

// A length is digits, wherever in it another byte stands and however long it is.
func TestBytesOfContentLength(t *testing.T) {
	for size := 1; size <= 19; size++ {
		for at := range size {
			for c := range 256 {
				value := []byte("1234567890123456789"[:size])
				value[at] = byte(c)
				b := []byte("HTTP/1.1 200 OK\r\nContent-Length: " + string(value) + "\r\n\r\n")
				var p wire.Parser
				if _, err := p.Parse(b); err != nil || c == ' ' || c == '\t' || c == ',' {
					continue // no value, or white space around it, or a list
				}
				f, _, err := p.Head.Framing(b, wire.Request{}, wire.Set{})
				want, wantErr := strconv.ParseUint(string(value), 10, 63)
				require.Equal(t, wantErr == nil, err == nil, "%q", value)
				if err == nil {
					require.Equal(t, int64(want), f.Length, "%q", value)
				}
			}
		}
	}
}
