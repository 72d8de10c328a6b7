package validator_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

// What is known of TCP on Linux, each fact with a test on real sockets.

// serve runs handle on every connection to a new origin and gives its URL.
func serve(t *testing.T, handle func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return "http://" + l.Addr().String()
}

func ask(t *testing.T, p *validator.Prober, target validator.Target) (*validator.Evidence, validator.Verdict) {
	t.Helper()
	e, err := p.Probe(t.Context(), target)
	require.NoError(t, err)
	return e, validator.Judge(e, nil)
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	c.Close()
}

// readHead reads to the end of the request's head.
func readHead(c net.Conn) {
	b := make([]byte, 1)
	for tail := ""; !strings.HasSuffix(tail, "\r\n\r\n"); tail += string(b) {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

const fewRuns = 40

func TestResetRightAfterAcceptIsToldFromOneAfterTheRequest(t *testing.T) {
	before := serve(t, reset)
	after := serve(t, func(c *net.TCPConn) { readHead(c); reset(c) })
	for range fewRuns {
		_, v := ask(t, &validator.Prober{Settle: time.Minute}, validator.Target{URL: before}) // however late it is
		assert.Equal(t, validator.ResetBeforeRequest, v.Reason)
		e, v := ask(t, &validator.Prober{}, validator.Target{URL: after})
		assert.Equal(t, wire.ResetAfterRequest, v.Reason)
		assert.Equal(t, e.Request.Size, e.Acked, "the SYN does not count")
	}
}

func TestCloseWithUnreadDataIsAReset(t *testing.T) {
	url := serve(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 1)) // the rest stays unread
		c.Close()
	})
	for range fewRuns {
		_, v := ask(t, &validator.Prober{}, validator.Target{URL: url})
		assert.Equal(t, wire.ResetAfterRequest, v.Reason)
	}
}

func TestAcknowledgedDoesNotMeanRead(t *testing.T) {
	held := make(chan *net.TCPConn, 1)
	url := serve(t, func(c *net.TCPConn) { held <- c })
	p := &validator.Prober{Deadlines: validator.Deadlines{FirstByte: 500 * time.Millisecond}}
	e, v := ask(t, p, validator.Target{URL: url})
	assert.Equal(t, wire.FirstByteTimeout, v.Reason)
	assert.Equal(t, e.Sent, e.Acked)
	(<-held).Close()
}

func TestHandshakeOfTLSDoesNotCountAsAcknowledged(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			reset(c.(*tls.Conn).NetConn().(*net.TCPConn))
		}
	}))
	s.StartTLS()
	defer s.Close()
	p := &validator.Prober{Policy: validator.Policy{Insecure: true}}
	for range fewRuns {
		e, v := ask(t, p, validator.Target{URL: s.URL})
		assert.Equal(t, validator.TLSResetAfterHandshake, v.Reason)
		assert.Equal(t, e.Sent, e.Acked, "of the records of the request")
		assert.Greater(t, e.Sent, e.Request.Size)
	}
}

func TestWhatWasQueuedBeforeTheResetIsDelivered(t *testing.T) {
	url := serve(t, func(c *net.TCPConn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf,")
		reset(c)
	})
	for range fewRuns {
		e, v := ask(t, &validator.Prober{}, validator.Target{URL: url})
		assert.Equal(t, wire.BodyReset, v.Reason)
		if assert.NotNil(t, e.Response.Body) {
			assert.EqualValues(t, 5, e.Response.Body.Bytes)
		}
	}
}

func TestEarlyAnswerIsReadAfterAFailedWrite(t *testing.T) {
	url := serve(t, func(c *net.TCPConn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		c.Close() // with the upload unread: a reset follows the answer
	})
	for range fewRuns {
		e, v := ask(t, &validator.Prober{}, validator.Target{URL: url, Upload: 8 << 20})
		assert.Equal(t, wire.OK, v.Reason, "%s", e.Error)
		if assert.NotNil(t, e.Response) {
			assert.Equal(t, 413, e.Response.Head.Status)
		}
	}
}

func TestPartOfAnUploadAcknowledgedIsToldFromAll(t *testing.T) {
	url := serve(t, func(c *net.TCPConn) {
		_ = c.SetReadBuffer(4096)
		_, _ = io.ReadFull(c, make([]byte, 20_000))
		reset(c)
	})
	for range 3 {
		e, v := ask(t, &validator.Prober{}, validator.Target{URL: url, Upload: 64 << 20})
		assert.Equal(t, validator.ResetDuringUpload, v.Reason)
		assert.Greater(t, e.Acked, int64(0))
		assert.Less(t, e.Acked, e.Request.Size)
	}
}

func TestEachAddressHasItsOwnVerdict(t *testing.T) {
	four := serve(t, func(c *net.TCPConn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\nServer: four\r\n\r\n")
		c.Close()
	})
	port := four[strings.LastIndex(four, ":")+1:]
	six, err := net.Listen("tcp", "[::1]:"+port)
	if err != nil {
		t.Skip("no IPv6 loopback here: skipped")
	}
	over := make(chan bool, 1)
	go func() {
		for {
			c, err := six.Accept()
			if err != nil {
				return
			}
			reset(c.(*net.TCPConn))
			over <- true
		}
	}()
	defer six.Close()
	p := &validator.Prober{Addresses: validator.AllAddresses, Resolver: origintest.StartNameServer(t).Resolver()}
	p.Connected = func(_ context.Context, c net.Conn) error {
		if strings.HasPrefix(c.RemoteAddr().String(), "[") {
			<-over
		}
		return nil
	}
	got := map[string]wire.Reason{}
	for e, err := range p.ProbeAll(t.Context(), validator.Target{URL: "http://both.test:" + port}) {
		require.NoError(t, err)
		got[e.Address] = validator.Judge(e, nil).Reason
	}
	want := map[string]wire.Reason{"127.0.0.1:" + port: wire.OK, "[::1]:" + port: validator.ResetBeforeRequest}
	assert.Equal(t, want, got)
}

func TestPortsOfOtherProtocolsThatBreakOffWithoutAByte(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*net.TCPConn)
		want wire.Reason
	}{
		"as Redis does":      {func(c *net.TCPConn) { readHead(c); c.Close() }, wire.ClosedWithoutAByte},
		"as PostgreSQL does": {func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 4)); c.Close() }, wire.ResetAfterRequest},
	} {
		t.Run(name, func(t *testing.T) {
			_, v := ask(t, &validator.Prober{}, validator.Target{URL: serve(t, c.end)})
			assert.Equal(t, c.want, v.Reason)
		})
	}
}

func TestControlRunsBeforeEachConnection(t *testing.T) {
	url := serve(t, func(c *net.TCPConn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\nServer: a\r\nConnection: close\r\n\r\n")
		c.Close()
	})
	var dialled []string
	p := &validator.Prober{Control: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		dialled = append(dialled, "http://"+address)
		return nil
	}}
	for e, err := range p.ProbeAll(t.Context(), validator.Target{URL: url, Requests: 2}) {
		require.NoError(t, err)
		assert.Equal(t, wire.OK, validator.Judge(e, nil).Reason)
	}
	assert.Equal(t, []string{url, url}, dialled)

	p.Control = func(context.Context, string, string, syscall.RawConn) error { return errors.New("not now") }
	_, err := p.Probe(t.Context(), validator.Target{URL: url})
	var local *validator.LocalError
	assert.ErrorAs(t, err, &local)
}

func TestLocalFaultIsNoVerdictOnTheOrigin(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	url := serve(t, func(c *net.TCPConn) { c.Close() })
	_, err := (&validator.Prober{}).Probe(cancelled, validator.Target{URL: url})
	var local *validator.LocalError
	require.ErrorAs(t, err, &local)
	assert.ErrorIs(t, err, context.Canceled)

	_, err = (&validator.Prober{}).Probe(t.Context(), validator.Target{URL: "ftp://192.0.2.1/"})
	var target *validator.TargetError
	assert.ErrorAs(t, err, &target, fmt.Sprint(err))
}
