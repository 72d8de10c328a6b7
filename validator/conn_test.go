package validator_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// A canned connection gives text in pieces of size bytes, and then err.
type canned struct {
	net.Conn // nil: what is not here is not called
	text     string
	size     int
	err      error
	written  bytes.Buffer
}

func (c *canned) Read(p []byte) (int, error) {
	if c.text == "" {
		return 0, c.err
	}
	n := copy(p[:min(len(p), c.size)], c.text)
	c.text = c.text[n:]
	return n, nil
}

func (c *canned) Write(p []byte) (int, error)      { return c.written.Write(p) }
func (c *canned) Close() error                     { return nil }
func (c *canned) RemoteAddr() net.Addr             { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

// overConn asks, and reads what comes of text in pieces of size bytes, into
// room for so many.
func overConn(t *testing.T, g *validator.Guard, ask, text string, size, room int, end error) (string, error) {
	t.Helper()
	c := g.Conn(&canned{text: text, size: size, err: end})
	defer c.Close()
	_, err := c.Write([]byte(ask))
	require.NoError(t, err)
	var all []byte
	p := make([]byte, room)
	for {
		n, err := c.Read(p)
		all = append(all, p[:n]...)
		if err != nil {
			_, again := c.Read(p)
			assert.Equal(t, err, again, "it stays so")
			return string(all), err
		}
	}
}

// onePlain is a request without content.
const onePlain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

// What passes does not depend on how the bytes come, nor on the room for them.
func TestConnPassesTheSameWhateverTheSplit(t *testing.T) {
	strict, report := validator.Strict(), validator.Report()
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	long := "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000)
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, k := range map[string]struct {
		policy          *validator.Policy
		ask, text, want string
		err             error
	}{
		"by length":          {text: ok, want: ok, err: io.EOF},
		"long":               {text: long, want: long, err: io.EOF},
		"by close":           {text: "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbye", want: "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbye", err: io.EOF},
		"chunked":            {text: chunked + "5;a=b\r\nhello\r\n0\r\nSum: 1\r\n\r\n", want: chunked + "5;a=b\r\nhello\r\n0\r\nSum: 1\r\n\r\n", err: io.EOF},
		"interim":            {text: "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ok, want: "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ok, err: io.EOF},
		"three in a row":     {ask: onePlain + onePlain + onePlain, text: ok + long + ok, want: ok + long + ok, err: io.EOF},
		"HEAD and more":      {ask: "HEAD / HTTP/1.1\r\n\r\n" + onePlain, text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + ok, want: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + ok, err: io.EOF},
		"304 and 204":        {ask: onePlain + onePlain, text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No\r\nA: b\r\n\r\n", want: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No\r\nA: b\r\n\r\n", err: io.EOF},
		"a tunnel":           {ask: "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", text: "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n\x00HTTP/9", want: "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n\x00HTTP/9", err: io.EOF},
		"CONNECT":            {ask: "CONNECT a:1 HTTP/1.1\r\n\r\n", text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nany", want: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nany", err: io.EOF},
		"CONNECT declined":   {ask: "CONNECT a:1 HTTP/1.1\r\n\r\n", text: "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", want: "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", err: io.EOF},
		"a bad head":         {text: "HTTP/1.1 200 OK\r\nA: b\r\nB : c\r\n\r\n", policy: &strict, err: wire.FieldSpaceBeforeColon},
		"a bad second head":  {ask: onePlain + onePlain, text: ok + "HTTP/1.1 2000 OK\r\n\r\n", want: ok, err: wire.StatusCodeDigits},
		"a bad chunk":        {text: chunked + "5\r\nhello\r\nx\r\n", want: chunked + "5\r\nhello", err: wire.ChunkSizeInvalid},
		"a bad trailer":      {text: chunked + "5\r\nhello\r\n0\r\nSum\r\n\r\n", want: chunked + "5\r\nhello", err: wire.TrailerInvalid},
		"cut":                {text: ok[:len(ok)-2], want: ok[:len(ok)-2], err: wire.BodyShort},
		"cut in the head":    {text: ok[:20], err: wire.HeadCut},
		"surplus":            {text: ok + "more", want: ok, err: wire.BytesOnIdleConnection},
		"body to HEAD":       {ask: "HEAD / HTTP/1.1\r\n\r\n", text: ok, want: ok[:len(ok)-5], err: wire.BytesOnIdleConnection},
		"nobody asked":       {ask: "\r\n", text: ok, want: ok, err: wire.BytesOnIdleConnection},
		"repaired":           {policy: &report, text: "\r\nHTTP/1.1  200 O\x01K\nA : b\r\n c\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello", want: "HTTP/1.1 200 O K\r\nA: b c\r\nContent-Length: 5\r\n\r\nhello", err: io.EOF},
		"repaired, HTTP/1.0": {policy: &report, text: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n5\r\nhello", want: "HTTP/1.0 200 OK\r\nA: b\r\n\r\n5\r\nhello", err: io.EOF},
		"repaired, interim":  {policy: &report, text: "HTTP/1.1 103 Early\nA:b\n\n" + ok, want: "HTTP/1.1 103 Early\r\nA: b\r\n\r\n" + ok, err: io.EOF},
	} {
		if k.ask == "" {
			k.ask = onePlain
		}
		for _, size := range []int{1, 2, 7, 1000, 1 << 20} {
			if size < 3 && len(k.text) > 10000 && testing.Short() {
				continue
			}
			for _, room := range []int{1, 5, 4096, 1 << 16} {
				seen := &connVerdicts{}
				g := &validator.Guard{Policy: k.policy, OnVerdict: seen.add}
				got, err := overConn(t, g, k.ask, k.text, size, room, io.EOF)
				require.Equal(t, k.want, got, "%s, %d at a time, room for %d", name, size, room)
				require.ErrorIs(t, err, k.err, "%s, %d at a time, room for %d", name, size, room)
				if _, bad := k.err.(wire.Reason); bad && k.err != wire.BytesOnIdleConnection {
					assert.Equal(t, k.err, seen.reasons()[len(seen.reasons())-1], name)
				}
				if len(seen.all) != strings.Count(k.ask, "HTTP/1.1") {
					assert.Fail(t, "each exchange once", "%s, %d, %d: %v", name, size, room, seen.reasons())
				}
			}
		}
	}
}

func TestConnNotesWhatItRepaired(t *testing.T) {
	seen := &connVerdicts{}
	_, err := overConn(t, &validator.Guard{OnVerdict: seen.add}, onePlain, "HTTP/1.1 200 OK\nA: b\r\nContent-Length: 2\r\n\r\nhi", 1000, 1000, io.EOF)
	assert.Equal(t, io.EOF, err)
	assert.Contains(t, seen.notes(), wire.BareLF)
	assert.Equal(t, []wire.Reason{wire.OK}, seen.reasons())
}

func TestConnSendsNoRequestWhoseEndIsUncertain(t *testing.T) {
	below := &canned{}
	c := new(validator.Guard).Conn(below)
	_, err := c.Write([]byte("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"))
	assert.ErrorIs(t, err, wire.LengthAndTransferEncoding)
	_, again := c.Write([]byte(onePlain))
	assert.Equal(t, err, again)
	assert.Empty(t, below.written.String())

	c = new(validator.Guard).Conn(below)
	for range 1024 {
		_, err := c.Write([]byte(onePlain))
		require.NoError(t, err)
	}
	_, err = c.Write([]byte(onePlain))
	assert.Error(t, err, "too many wait")
}

// What was sent behind a request to switch protocols, and was not for this one,
// ends the connection where the origin declines.
func TestConnDoesNotGuessBehindASwitchThatIsDeclined(t *testing.T) {
	const declined = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"
	got, err := overConn(t, new(validator.Guard), "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n\x00\x01", declined, 100, 100, io.EOF)
	assert.Equal(t, declined, got)
	assert.ErrorContains(t, err, "declined")
}

// endless answers every request that is written to it with the same response.
type endless struct {
	canned
	answer []byte
	due    int
}

func (e *endless) Write(p []byte) (int, error) { e.due++; return len(p), nil }
func (e *endless) Read(p []byte) (int, error) {
	if e.due == 0 {
		return 0, io.EOF
	}
	e.due--
	return copy(p, e.answer), nil
}

// An exchange that goes well costs no memory, its verdict included.
func TestConnCostsNoMemory(t *testing.T) {
	told := 0
	g := &validator.Guard{OnVerdict: func(_ *validator.Conn, _ *validator.Evidence, v *validator.Verdict) {
		if v.OK() {
			told++
		}
	}}
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	} {
		c := g.Conn(&endless{answer: []byte(answer)})
		ask, p := []byte(onePlain), make([]byte, 4096)
		once := func() {
			if _, err := c.Write(ask); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Read(p); err != nil || n != len(answer) {
				t.Fatal(n, err)
			}
		}
		once()
		assert.Zero(t, allocations(t, once))
		require.NoError(t, c.Close())
	}
	assert.Greater(t, told, 400)
}
