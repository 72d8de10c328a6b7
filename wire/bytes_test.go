package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http/httpguts"

	"why520/wire"
)

// accepted reports whether b is one whole head, and gives its first field.
func accepted(t *testing.T, b string) (name, value string, ok bool) {
	t.Helper()
	var p wire.Parser
	n, err := p.Parse([]byte(b))
	if err != nil || n != len(b) {
		return "", "", false
	}
	return string(p.Head.Name([]byte(b), 0)), string(p.Head.Value([]byte(b), 0)), true
}

// Every byte in a field name, judged by other people's tables.
func TestBytesOfNames(t *testing.T) {
	for c := range 256 {
		for _, name := range []string{string([]byte{byte(c)}), string([]byte{'a', byte(c), 'b'})} {
			if c == ':' {
				continue // it ends the name
			}
			got, _, ok := accepted(t, "HTTP/1.1 200 OK\r\n"+name+": v\r\n\r\n")
			assert.Equal(t, httpguts.ValidHeaderFieldName(name), ok, "%q", name)
			if ok {
				assert.Equal(t, name, got)
			}
		}
	}
}

// Every byte in a field value, likewise.
func TestBytesOfValues(t *testing.T) {
	for c := range 256 {
		value := string([]byte{'x', byte(c), 'y'})
		_, got, ok := accepted(t, "HTTP/1.1 200 OK\r\nName: "+value+"\r\n\r\n")
		assert.Equal(t, httpguts.ValidHeaderFieldValue(value), ok, "%q", value)
		if ok {
			assert.Equal(t, value, got)
		}
	}
}

// A reason phrase may hold what a value may (RFC 9112 section 4).
func TestBytesOfReasonPhrases(t *testing.T) {
	for c := range 256 {
		b := "HTTP/1.1 200 x" + string([]byte{byte(c)}) + "y\r\nServer: z\r\n\r\n"
		_, _, ok := accepted(t, b)
		assert.Equal(t, httpguts.ValidHeaderFieldValue(string([]byte{byte(c)})), ok, "%q: reason-phrase = 1*( HTAB / SP / VCHAR / obs-text )", b)
	}
}
