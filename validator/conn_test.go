package validator_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
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

	for text, want := range map[string]string{"GET /\r\n": "the request line", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n": "HTTP/1.0 request", "\n" + onePlain: "LF alone"} {
		_, err := new(validator.Guard).Conn(below).Write([]byte(text))
		assert.ErrorContains(t, err, want)
	}
	assert.Empty(t, below.written.String())

	c = new(validator.Guard).Conn(below)
	for range 1024 {
		_, err := c.Write([]byte(onePlain))
		require.NoError(t, err)
	}
	_, err = c.Write([]byte(onePlain))
	assert.Error(t, err, "too many wait")
}

// What is not sent, for what stands behind it is no request, was never asked.
func TestConnTellsOfNoRequestThatItDidNotSend(t *testing.T) {
	for asked, begun := range []string{"", onePlain + "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel"} {
		seen, below := &connVerdicts{}, &canned{}
		c := (&validator.Guard{OnVerdict: seen.add}).Conn(below)
		write(t, c, begun)
		_, err := c.Write([]byte("lo"[:2*asked] + onePlain + onePlain + "\x00\r\n"))
		require.ErrorIs(t, err, wire.ProtocolName)
		if asked == 0 { // and so the origin may end it
			below.err = io.EOF
			_, err = c.Read(make([]byte, 1))
			assert.Error(t, err)
		}
		require.NoError(t, c.Close())
		assert.Equal(t, begun, below.written.String())
		assert.Len(t, seen.reasons(), 2*asked)
	}
}

// Each request has its verdict, those too that wait behind the one that reading
// ends with; of them nothing is said.
func TestConnTellsOfEveryRequestThatWaits(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for text, k := range map[string]struct {
		err  error
		want []wire.Reason
		left int // of those, how many this side left
	}{
		ok + ok + ok:                   {io.EOF, []wire.Reason{wire.OK, wire.OK, wire.OK}, 0},
		ok + ok:                        {io.EOF, []wire.Reason{wire.OK, wire.OK, wire.ClosedWithoutAByte}, 0},
		ok:                             {syscall.ECONNRESET, []wire.Reason{wire.OK, wire.ResetAfterRequest, wire.OK}, 1},
		"":                             {io.EOF, []wire.Reason{wire.ClosedWithoutAByte, wire.OK, wire.OK}, 2},
		ok[:len(ok)-1]:                 {io.EOF, []wire.Reason{wire.BodyShort, wire.OK, wire.OK}, 2},
		ok + "HTTP/1.1 2x0 OK\r\n\r\n": {io.EOF, []wire.Reason{wire.OK, wire.StatusCodeDigits, wire.OK}, 1},
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\nto the end": {io.EOF, []wire.Reason{wire.OK, wire.OK, wire.OK}, 2},
		ok + "HTTP/1.1 200":                         {os.ErrDeadlineExceeded, []wire.Reason{wire.OK, wire.HeadStalled, wire.OK}, 1},
	} {
		seen := &connVerdicts{}
		c := (&validator.Guard{OnVerdict: seen.add}).Conn(&canned{text: text, size: 1000, err: k.err})
		write(t, c, onePlain+onePlain+onePlain)
		var err error
		for p := make([]byte, 100); err == nil; {
			_, err = c.Read(p)
		}
		require.NoError(t, c.Close())
		assert.Equal(t, k.want, seen.reasons(), "%q", text)
		assert.Equal(t, k.left, strings.Count(fmt.Sprint(seen.notes()), "client-closed:"), "%q", text)
	}

	seen := &connVerdicts{}
	c := (&validator.Guard{OnVerdict: seen.add}).Conn(&canned{})
	write(t, c, onePlain+onePlain+onePlain)
	require.NoError(t, c.Close())
	assert.Equal(t, []wire.Reason{wire.OK, wire.OK, wire.OK}, seen.reasons())
	assert.Equal(t, []wire.Reason{validator.ClientClosed, validator.ClientClosed, validator.ClientClosed}, seen.notes())
}

// Of a request whose line is not whole the method is not known; it is not that of
// the one before, whose answer had no content.
func TestConnTakesAnEarlyAnswerForNoOtherMethods(t *testing.T) {
	const head, late = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nlate"
	seen, below := &connVerdicts{}, &canned{text: head, size: 1000, err: io.EOF}
	c := (&validator.Guard{OnVerdict: seen.add}).Conn(below)
	write(t, c, "HEAD / HTTP/1.1\r\n\r\n")
	_, err := io.ReadFull(c, make([]byte, len(head)))
	require.NoError(t, err)
	write(t, c, "GET /a")
	below.text = late
	got, err := io.ReadAll(c)
	assert.NoError(t, err)
	assert.Equal(t, late, string(got))
	require.NoError(t, c.Close())
	assert.Equal(t, []wire.Reason{wire.OK, wire.OK}, seen.reasons())
	assert.Equal(t, []wire.Reason{validator.AnsweredBeforeUploadDone}, seen.notes())
}

// Evidence has the request, however many were sent before it while another always
// waited.
func TestConnKeepsTheRequestUnderSteadyPipelining(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, waiting := range []int{1, 2, 7, 100} {
		var target string
		below := &canned{size: len(answer), err: io.EOF}
		c := (&validator.Guard{OnVerdict: func(_ *validator.Conn, e *validator.Evidence, v *validator.Verdict) {
			if !v.OK() {
				target = e.Request.Target
			}
		}}).Conn(below)
		asked := 0
		ask := func() {
			write(t, c, fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n\r\n", asked, strings.Repeat("c", 300)))
			asked++
		}
		for range waiting {
			ask()
		}
		for range 1000 {
			ask()
			below.text += answer
			_, err := io.ReadFull(c, make([]byte, len(answer)))
			require.NoError(t, err)
		}
		below.text = "HTTP/1.1 2x0 OK\r\n\r\n"
		_, err := c.Read(make([]byte, 100))
		require.ErrorIs(t, err, wire.StatusCodeDigits)
		assert.Equal(t, "/1000", target)
	}
}

// A halting connection sends less than it is given, at most so much in each of its
// first writes, which then meet with a deadline.
type halting struct {
	canned
	most []int
	then func() // before one fails
}

func (h *halting) Write(p []byte) (int, error) {
	if len(h.most) == 0 {
		return h.canned.Write(p)
	}
	n := min(h.most[0], len(p))
	h.most = h.most[1:]
	h.canned.Write(p[:n])
	h.then()
	return n, os.ErrDeadlineExceeded
}

// Where a deadline of the client's ends a Write in the midst, the rest may follow:
// each request is asked once, whatever of it was sent, and was answered, before.
func TestConnGoesOnWithTheRestOfAWrite(t *testing.T) {
	const (
		ok  = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
		all = "POST /1 HTTP/1.1\r\nContent-Length: 40\r\n\r\n" + "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/" +
			"HEAD /2 HTTP/1.1\r\n\r\n" + "PUT /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\r\n\r\r\n0\r\n\r\n" + "GET /4 HTTP/1.1\r\n\r\n"
		answers = ok + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + ok + ok
	)
	for _, begun := range []int{0, 10, 50} {
		for cut := range len(all) - begun {
			for _, early := range []bool{false, true} {
				var asked []string
				g := &validator.Guard{OnVerdict: func(_ *validator.Conn, e *validator.Evidence, v *validator.Verdict) {
					assert.True(t, v.OK())
					asked = append(asked, e.Request.Method)
					if !early {
						assert.Equal(t, map[string]int64{"POST": 40, "PUT": 11}[e.Request.Method], e.Request.Upload, "%d, %d", begun, cut)
					}
				}}
				below, got := &halting{canned: canned{text: ok, size: 100, err: os.ErrDeadlineExceeded}, most: []int{cut, 3}}, ""
				c := g.Conn(below)
				below.then = func() {
					if p := make([]byte, 100); early && begun+cut > 0 && got == "" {
						n, err := c.Read(p)
						assert.NoError(t, err)
						got = string(p[:n])
					}
				}
				most := below.most
				below.most = nil
				write(t, c, all[:begun])
				below.most = most
				for rest, times := all[begun:], 0; rest != ""; times++ {
					n, err := c.Write([]byte(rest))
					if rest = rest[n:]; times < 2 {
						require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					} else {
						require.NoError(t, err, "%d, %d", begun, cut)
					}
				}
				below.text, below.err = below.text+answers[len(ok):], io.EOF
				rest, err := io.ReadAll(c)
				assert.NoError(t, err)
				require.NoError(t, c.Close())
				assert.Equal(t, all, below.written.String())
				assert.Equal(t, answers, got+string(rest), "%d, %d", begun, cut)
				require.Equal(t, []string{"POST", "HEAD", "PUT", "GET"}, asked, "%d, %d", begun, cut)
			}
		}
	}
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
