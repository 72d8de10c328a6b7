package validator_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"why520/validator"
	"why520/validator/origintest"
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
		"a tunnel":           {ask: "GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n", text: "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n\x00HTTP/9", want: "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n\x00HTTP/9", err: io.EOF},
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
	got, err := overConn(t, new(validator.Guard), "GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n\x00\x01", declined, 100, 100, io.EOF)
	assert.Equal(t, declined, got)
	assert.ErrorContains(t, err, "declined")
}

// pair gives a Conn of g and the origin's side, over TCP.
func pair(t *testing.T, g *validator.Guard) (c *validator.Conn, origin *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dialled, err := g.DialAddr(l.Addr().String())
	require.NoError(t, err)
	accepted, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	return dialled.(*validator.Conn), accepted.(*net.TCPConn)
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := c.Write([]byte(text))
	require.NoError(t, err)
}

// A deadline of the client's is told, and reading may go on.
func TestConnGoesOnAfterADeadlineOfTheClient(t *testing.T) {
	seen := &connVerdicts{}
	c, origin := pair(t, &validator.Guard{OnVerdict: seen.add})
	p := make([]byte, 100)
	require.NoError(t, c.SetReadDeadline(time.Unix(1, 0)))
	_, err := c.Read(p)
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.NotErrorIs(t, err, wire.FirstByteTimeout, "nothing was asked")

	write(t, c, onePlain)
	_, err = c.Read(p)
	assert.ErrorIs(t, err, wire.FirstByteTimeout)
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
	assert.Empty(t, seen.reasons(), "it is not over")

	require.NoError(t, c.SetDeadline(time.Time{}))
	write(t, origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	n, err := c.Read(p)
	require.NoError(t, err)
	assert.Equal(t, 38, n)
	assert.Equal(t, []wire.Reason{wire.OK}, seen.reasons())

	write(t, c, onePlain)
	write(t, origin, "HTTP/1.1 200")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err = c.Read(p)
	assert.ErrorIs(t, err, wire.HeadStalled)
	require.NoError(t, c.Close())
	assert.Equal(t, []wire.Reason{wire.OK, wire.HeadStalled}, seen.reasons(), "Close tells it")
}

func TestCloseDuringReadIsTheClientsDoing(t *testing.T) {
	for _, asked := range []bool{true, false} {
		seen := &connVerdicts{}
		c, _ := pair(t, &validator.Guard{OnVerdict: seen.add})
		if asked {
			write(t, c, onePlain)
		}
		done := make(chan error)
		go func() {
			_, err := c.Read(make([]byte, 10))
			done <- err
		}()
		require.NoError(t, c.Close())
		assert.ErrorIs(t, <-done, net.ErrClosed)
		_, err := c.Read(make([]byte, 10))
		assert.ErrorIs(t, err, net.ErrClosed)
		if asked {
			assert.Equal(t, []wire.Reason{validator.ClientClosed}, seen.notes())
		} else {
			assert.Empty(t, seen.reasons())
		}
	}
}

// An answer that comes before the upload is done is there to be read, though the
// origin broke the connection under the writer.
func TestConnGivesAnEarlyAnswer(t *testing.T) {
	seen := &connVerdicts{}
	c, origin := pair(t, &validator.Guard{OnVerdict: seen.add})
	write(t, c, "POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n")
	const answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	_, err := bufio.NewReader(origin).ReadString('\n')
	require.NoError(t, err)
	write(t, origin, answer)
	require.NoError(t, origin.CloseWrite())
	go func() { _, _ = io.Copy(io.Discard, origin) }()
	content := make([]byte, 1<<20)
	for range 20 {
		write(t, c, string(content))
	}
	got, err := io.ReadAll(c)
	assert.NoError(t, err)
	assert.Equal(t, answer, string(got))
	assert.Equal(t, []wire.Reason{validator.AnsweredBeforeUploadDone}, seen.notes())
}

func TestConnFailsWhereAnUploadIsReset(t *testing.T) {
	c, origin := pair(t, new(validator.Guard))
	write(t, c, "POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n")
	require.NoError(t, origin.SetLinger(0))
	origin.Close()
	content := make([]byte, 1<<20)
	for range 20 {
		write(t, c, string(content))
	}
	_, err := c.Read(content)
	assert.ErrorIs(t, err, validator.ResetDuringUpload)
	assert.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestConnKeepsWhatAConnectionCan(t *testing.T) {
	c, origin := pair(t, new(validator.Guard))
	assert.IsType(t, (*net.TCPConn)(nil), c.NetConn())
	raw, err := c.SyscallConn()
	require.NoError(t, err)
	assert.NoError(t, raw.Control(func(uintptr) {}))
	assert.Equal(t, origin.LocalAddr().String(), c.RemoteAddr().String())
	assert.Equal(t, origin.RemoteAddr().String(), c.LocalAddr().String())
	require.NoError(t, c.CloseWrite())
	_, err = origin.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	_, err = new(validator.Guard).Conn(&canned{}).SyscallConn()
	assert.ErrorIs(t, err, errors.ErrUnsupported)
}

// Behind a switch of protocols a Conn is a net.Conn like any other.
func TestConnIsANetConnInATunnel(t *testing.T) {
	for name, g := range map[string]*validator.Guard{"plain": {}, "timed": {Deadlines: validator.Deadlines{Idle: time.Hour, Write: time.Hour}}} {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				c, origin := pair(t, g)
				write(t, c, "GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n")
				const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
				if _, err := io.CopyN(io.Discard, origin, 30); err != nil {
					return nil, nil, nil, err
				}
				write(t, origin, head)
				if _, err := io.ReadFull(c, make([]byte, len(head))); err != nil {
					return nil, nil, nil, err
				}
				return c, origin, func() { c.Close(); origin.Close() }, nil
			})
		})
	}
}

// Many goroutines use one client; the origin's faults are told once each.
func TestConnUnderManyRequests(t *testing.T) {
	good, bad := origintest.Start(t, "ok"), origintest.Start(t, "body-short")
	seen := &connVerdicts{}
	g := guard(t, good)
	g.OnVerdict = seen.add
	rt := aroundHTTP(t, g)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 25 {
				o := good
				if (i+j)%5 == 0 {
					o = bad
				}
				err := exchangeBy(t, rt, o)
				if o == good {
					assert.NoError(t, err)
				} else {
					assert.ErrorIs(t, err, wire.BodyShort)
				}
			}
		})
	}
	wait.Wait()
	count := map[wire.Reason]int{}
	for _, r := range seen.reasons() {
		count[r]++
	}
	assert.Equal(t, map[wire.Reason]int{wire.OK: 160 * good.Target().Requests, wire.BodyShort: 40}, count)
}

func TestConnRestoresResponseTLS(t *testing.T) {
	o := origintest.Start(t, "ok/tls")
	resp, err := aroundHTTP(t, guard(t, o)).RoundTrip(request(t, o))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.NotNil(t, resp.TLS)
	assert.NotEmpty(t, resp.TLS.VerifiedChains)
}

// A WebSocket, or any other protocol, goes through http.Transport and a Conn.
func TestConnPassesASwitchOfProtocolsThroughHTTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello ")
			_, _ = io.Copy(c, c)
		}
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String(), nil)
	require.NoError(t, err)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := aroundHTTP(t, new(validator.Guard)).RoundTrip(req)
	require.NoError(t, err)
	both := resp.Body.(io.ReadWriteCloser)
	defer both.Close()
	_, err = both.Write([]byte("\x00world"))
	require.NoError(t, err)
	p := make([]byte, 12)
	_, err = io.ReadFull(both, p)
	require.NoError(t, err)
	assert.Equal(t, "hello \x00world", string(p))
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
		assert.Zero(t, testing.AllocsPerRun(200, once))
		require.NoError(t, c.Close())
	}
	assert.Greater(t, told, 400)
}
