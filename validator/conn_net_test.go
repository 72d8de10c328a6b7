package validator_test

import (
	"bufio"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

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
}

func TestCloseTellsOfWhatADeadlineOfTheClientEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &connVerdicts{}
		below, _ := piped(func(c net.Conn, r *bufio.Reader) {
			readRequest(r)
			io.WriteString(c, "HTTP/1.1 200")
			r.ReadByte()
		})(t.Context(), "", "")
		c := (&validator.Guard{OnVerdict: seen.add}).Conn(below)
		write(t, c, onePlain)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
		_, err := c.Read(make([]byte, 100))
		assert.ErrorIs(t, err, wire.HeadStalled)
		assert.Empty(t, seen.reasons(), "it is not over")
		require.NoError(t, c.Close())
		assert.Equal(t, []wire.Reason{wire.HeadStalled}, seen.reasons())
	})
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
				write(t, c, "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
				const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
				if _, err := io.CopyN(io.Discard, origin, 51); err != nil {
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
				err := exchange(t, rt, o)
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

// Through an HTTP proxy http.Transport makes the TLS handshake itself, as the
// Guard would; of what passes then, the answer to CONNECT alone is judged.
func TestAroundATransportThatGoesThroughAProxy(t *testing.T) {
	s, config := secured(t, nil, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, q.Proto) })
	proxy, err := url.Parse(listen(t, func(_ int, c net.Conn, r *bufio.Reader) {
		q, _ := readRequest(r)
		if q == nil || q.Method != http.MethodConnect {
			return
		}
		origin, err := net.Dial("tcp", q.Host)
		if err != nil {
			return
		}
		defer origin.Close()
		io.WriteString(c, "HTTP/1.1 200 Connected\r\n\r\n")
		go func() {
			io.Copy(c, origin)
			c.Close()
		}()
		io.Copy(origin, r)
	}))
	require.NoError(t, err)
	insecure := validator.Report()
	insecure.Insecure = true
	config.NextProtos = []string{"h2", "http/1.1"}
	for name, g := range map[string]*validator.Guard{
		"trusted":  {TLSClientConfig: config},
		"insecure": {Policy: &insecure},
		"neither":  {},
	} {
		var asked []string
		g.OnVerdict = func(_ *validator.Conn, e *validator.Evidence, v *validator.Verdict) {
			assert.True(t, v.OK())
			asked = append(asked, e.Request.Method)
		}
		inner := &http.Transport{Proxy: http.ProxyURL(proxy)}
		resp, got, err := do(g.Around(inner), "GET", s.URL, nil)
		if inner.CloseIdleConnections(); name == "neither" {
			assert.ErrorAs(t, err, new(x509.UnknownAuthorityError))
		} else if assert.NoError(t, err, name) {
			assert.Equal(t, "HTTP/1.1", got)
			assert.NotNil(t, resp.TLS)
		}
		assert.Equal(t, []string{"CONNECT"}, asked)
	}
}
