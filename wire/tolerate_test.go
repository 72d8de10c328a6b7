package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/wire"
)

// What is tolerated must not move the end of a message: for every reason that a
// policy may let pass, where the head ends, and what its content is.
var tolerated = []struct {
	reason  wire.Reason
	head    string
	content string // followed by surplus, where the framing tells
	framing wire.Delimiter
}{
	{wire.BareLF, "HTTP/1.1 200 OK\nContent-Length: 5\n\n", "hello", wire.ByLength},
	{wire.BareLF, "HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\n", "\nhell", wire.ByLength},
	{wire.BareLF, "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\n", "\r\n\r\nx", wire.ByLength},
	{wire.BareLF, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "hello", wire.ByChunks},
	{wire.FieldObsFold, "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.FieldObsFold, "HTTP/1.1 200 OK\r\nContent-Length:\r\n\t5\r\n\r\n", "hello", wire.ByLength},
	{wire.FieldObsFold, "HTTP/1.1 200 OK\r\nA: b\r\n Content-Length: 9\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.FieldObsFold, "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n \r\n\r\n", "hello", wire.ByChunks},
	{wire.FieldSpaceBeforeColon, "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n", "hello", wire.ByLength},
	{wire.FieldSpaceBeforeColon, "HTTP/1.1 200 OK\r\nTransfer-Encoding\t: chunked\r\n\r\n", "hello", wire.ByChunks},
	{wire.FieldLeadingSpace, "HTTP/1.1 200 OK\r\n Content-Length: 9\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.BlankLineBeforeStatusLine, "\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.BlankLineBeforeStatusLine, "\r\n\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.StatusLineWhitespace, "HTTP/1.1  200 OK\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.StatusLineWhitespace, " HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.StatusLineWhitespace, "HTTP/1.1\t200 OK\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.ReasonPhraseByte, "HTTP/1.1 200 O\x01K\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.FieldControlByte, "HTTP/1.1 200 OK\r\nA: \x01\x7f\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.ContentLengthRepeated, "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "hello", wire.ByLength},
	{wire.ContentLengthRepeated, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "hello", wire.ByLength},
	{wire.TransferCodingInHTTP10, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", wire.ByClose},
	{wire.NoHeaderFields, "HTTP/1.1 200 OK\r\n\r\n", "hello", wire.ByClose},
	{wire.NoHeaderFields, "HTTP/1.1 204 None\r\n\r\n", "", wire.NoContent},
}

func TestWhatIsToleratedMovesNoEnd(t *testing.T) {
	var covered wire.Set
	for _, c := range tolerated {
		covered = covered.With(c.reason)
		body := c.content
		if c.framing == wire.ByChunks {
			body = "5\r\n" + c.content + "\r\n0\r\n\r\n"
		}
		if c.framing != wire.ByClose {
			body += "HTTP/1.1 200 OK\r\n\r\n" // of another message
		}
		b := []byte(c.head + body)

		s := &wire.Stream{Limits: wire.Limits{Tolerate: wire.SetOf(c.reason)}}
		o := read(s, wire.Request{}, b, wire.FIN, whole)
		assert.Equal(t, wire.OK.String(), o.Reason.String(), "%q", c.head)
		assert.Equal(t, len(c.head), s.Head().Size(), "%q", c.head)
		assert.Equal(t, c.framing.String(), s.Framing.Delimiter.String(), "%q", c.head)
		assert.Equal(t, c.content, o.Content, "%q", c.head)
		if assert.NotEmpty(t, s.Found, "%q", c.head) {
			assert.Equal(t, c.reason, s.Found[0].Reason, "%q", c.head)
		}

		others := wire.Tolerable
		others[0] &^= wire.SetOf(c.reason)[0]
		others[1] &^= wire.SetOf(c.reason)[1]
		for _, set := range []wire.Set{{}, others} {
			o := read(&wire.Stream{Limits: wire.Limits{Tolerate: set}}, wire.Request{}, b, wire.FIN, one)
			assert.Equal(t, c.reason.String(), o.Reason.String(), "%q is tolerated by name alone", c.head)
		}
	}
	assert.Equal(t, wire.Tolerable, covered, "every reason that can be tolerated is here")
}

// A policy that names what cannot be tolerated changes nothing.
func TestWhatCannotBeToleratedIsNot(t *testing.T) {
	var all wire.Set
	for _, r := range wire.Reasons() {
		all = all.With(r)
	}
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 20 OK\r\nA: b\r\n\r\n", "HTTP/1.1 101 Switch\r\n\r\n",
	} {
		strict := read(&wire.Stream{}, wire.Request{}, []byte(text), wire.FIN, whole)
		lax := read(&wire.Stream{Limits: wire.Limits{Tolerate: all}}, wire.Request{}, []byte(text), wire.FIN, whole)
		assert.NotEqual(t, wire.OK, strict.Reason, "%q", text)
		assert.Equal(t, strict.Reason.String(), lax.Reason.String(), "%q", text)
	}
}
