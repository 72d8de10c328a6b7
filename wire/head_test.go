package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/wire"
)

// parsed gives the head that b is, every violation that can be tolerated
// tolerated.
func parsed(t *testing.T, b string) *wire.Head {
	t.Helper()
	p := &wire.Parser{Limits: wire.Limits{Tolerate: wire.Tolerable}}
	n, err := p.Parse([]byte(b))
	require.NoError(t, err)
	require.Equal(t, len(b), n)
	return &p.Head
}

func TestPartsOfAHead(t *testing.T) {
	const text = "HTTP/1.0 404 Not  Found\r\nServer:\t x y \t\r\nSet-Cookie: a\r\nEmpty:\r\nset-cookie: b\r\n\r\n"
	h, b := parsed(t, text), []byte(text)
	assert.Equal(t, 404, h.Status)
	assert.Equal(t, 0, h.Minor)
	assert.Equal(t, "Not  Found", string(h.ReasonPhrase(b)))
	assert.Equal(t, len(text), h.Size())
	require.Equal(t, 4, h.Len())
	assert.Equal(t, "Server:\t x y \t\r\n", string(h.Line(b, 0)))
	assert.Equal(t, "Server", string(h.Name(b, 0)))
	assert.Equal(t, "x y", string(h.Value(b, 0)), "white space around a value is no part of it")
	assert.Empty(t, h.Value(b, 2))
	assert.False(t, h.Folded(b, 0))

	value, ok := h.Get(b, "SET-cookie")
	assert.True(t, ok)
	assert.Equal(t, "a", string(value))
	_, ok = h.Get(b, "cookie")
	assert.False(t, ok)
	var cookies []string
	for i := range h.All(b, "Set-Cookie") {
		cookies = append(cookies, string(h.Value(b, i)))
	}
	assert.Equal(t, []string{"a", "b"}, cookies)
	for i := range h.All(b, "set-cookie") {
		assert.Equal(t, 1, i)
		break
	}
}

// What a value is once its folding was tolerated: RFC 9112 section 5.2.
func TestFoldedValues(t *testing.T) {
	const text = "HTTP/1.1 200 OK\r\nA: one \t\r\n\t two\r\n  \r\n three\r\nB : four\r\nC:\n\r\n"
	h, b := parsed(t, text), []byte(text)
	require.Equal(t, 3, h.Len())
	assert.True(t, h.Folded(b, 0))
	assert.Equal(t, "A: one \t\r\n\t two\r\n  \r\n three\r\n", string(h.Line(b, 0)))
	assert.Equal(t, "> one two three", string(h.AppendValue([]byte("> "), b, 0)))
	assert.Equal(t, "B", string(h.Name(b, 1)))
	assert.Equal(t, "four", string(h.AppendValue(nil, b, 1)))
	assert.Empty(t, h.AppendValue(nil, b, 2))
}

func TestStorageIsTheCallers(t *testing.T) {
	b := []byte("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n")
	store := make([]uint32, 4+wire.Spare)
	parse := func() {
		var p wire.Parser
		p.Head.Use(store)
		if n, err := p.Parse(b); err != nil || n != len(b) || p.Head.Len() != 2 {
			t.Fatal(n, err, p.Head.Len())
		}
	}
	assert.Zero(t, testing.AllocsPerRun(10, parse), "the first parse does not allocate either")
}

// A head may move between calls: it is made of offsets.
func TestBytesMayMove(t *testing.T) {
	const text = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"
	var p wire.Parser
	for i := range text {
		moved := []byte(text[:i])
		_, err := p.Parse(moved)
		require.Equal(t, wire.ErrIncomplete, err)
		for j := range moved {
			moved[j] = '!'
		}
	}
	_, err := p.Parse([]byte(text))
	require.NoError(t, err)
	assert.Equal(t, "x", string(p.Head.Value([]byte(text), 0)))
}

func TestParserIsReadyAgainAfterReset(t *testing.T) {
	var p wire.Parser
	_, err := p.Parse([]byte("HTTP/1.1 200 OK\r\nbad name: x\r\n"))
	assert.Equal(t, wire.FieldNameByte, err)
	n, err := p.Parse([]byte("HTTP/1.1 200 OK\r\nbad name: x\r\nmore"))
	assert.Equal(t, 20, n, "the answer stays")
	assert.Equal(t, wire.FieldNameByte, err)
	p.Reset()
	n, err = p.Parse([]byte("HTTP/1.1 204 None\r\nA: b\r\n\r\n"))
	assert.NoError(t, err)
	assert.Equal(t, 27, n)
	assert.Equal(t, 204, p.Head.Status)
	assert.Empty(t, p.Found)
}
