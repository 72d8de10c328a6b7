package capture_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// What real kernels send, in network namespaces of Linux: each verdict is the
// one that was made to happen.

// A label is what a verdict is to be.
type label struct {
	by, stage, confidence string
	reason                wire.Reason
}

// waiting is how long an origin is waited for that is silent until the end.
const waiting = time.Second

// deadlines are those of others, which a busy machine does not come to.
var deadlines = within(time.Minute)

func within(d time.Duration) validator.Deadlines {
	return validator.Deadlines{Connect: d, Write: d, FirstByte: d, Idle: d}
}

func linger0(c *net.TCPConn) {
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

// answer answers a request with s, and then does what end says.
func answer(s string, end func(*net.TCPConn)) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		readHead(c)
		_, _ = io.WriteString(c, s)
		end(c)
	}
}

func closes(c *net.TCPConn) { c.Close() }

// holds waits for a request that may not come.
func holds(c *net.TCPConn) {
	readHead(c)
	c.Close()
}

// forget makes the kernel forget the connection: nothing is sent.
func forget(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1)
		})
	}
	if err != nil {
		panic(err)
	}
	c.Close()
}

// A scene is what an origin, and the router, do with one connection.
type scene struct {
	name      string
	origin    func(*net.TCPConn)
	address   string // empty: listening
	rule      string // of the router
	target    validator.Target
	connected string // to run between connect and request
	first     bool   // the origin is done before it is asked
	silent    bool   // the origin, until the end: packets alone do not show for how long
	want      label
}

const whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

var scenes = []scene{
	{
		name: "an answer", origin: answer(whole, closes),
		want: label{"", capture.AfterResponse, "certain", wire.OK},
	}, {
		name: "SO_LINGER 0 right after accept", origin: linger0, first: true,
		want: label{capture.ByOrigin, capture.BeforeRequest, "certain", validator.ResetBeforeRequest},
	}, {
		name: "SO_LINGER 0 after the request", origin: answer("", linger0),
		want: label{capture.ByOrigin, capture.AfterRequest, "certain", wire.ResetAfterRequest},
	}, {
		name: "SO_LINGER 0 within the head", origin: answer("HTTP/1.1 200 OK\r\nServ", linger0),
		want: label{capture.ByOrigin, capture.InHead, "certain", wire.HeadReset},
	}, {
		name: "SO_LINGER 0 within the content", origin: answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", linger0),
		want: label{capture.ByOrigin, capture.InContent, "certain", wire.BodyReset},
	}, {
		name: "close with unread data", origin: func(c *net.TCPConn) {
			_, _ = c.Read(make([]byte, 1))
			c.Close()
		},
		want: label{capture.ByOrigin, capture.AfterRequest, "certain", wire.ResetAfterRequest},
	}, {
		name: "SO_LINGER 0 within an upload", origin: func(c *net.TCPConn) {
			_ = c.SetReadBuffer(4096)
			_, _ = io.ReadFull(c, make([]byte, 20_000))
			linger0(c)
		},
		target: validator.Target{Upload: 16 << 20},
		want:   label{capture.ByOrigin, capture.InRequest, "certain", validator.ResetDuringUpload},
	}, {
		name: "close without a byte", origin: answer("", closes),
		want: label{"", capture.AfterRequest, "certain", wire.ClosedWithoutAByte},
	}, {
		name: "a connection that the origin forgot", origin: forget, first: true,
		want: label{capture.ByOrigin, capture.BeforeRequest, "likely", validator.ResetBeforeRequest},
	}, {
		name: "a kept-alive connection that the origin forgot", origin: answer(whole, forget),
		target: validator.Target{Requests: 2, Idle: 50 * time.Millisecond},
		want:   label{capture.ByOrigin, capture.BeforeRequest, "certain", validator.ReusedConnectionWasDead},
	}, {
		name: "a closed port", address: closedPort,
		want: label{capture.ByOrigin, capture.InHandshake, "likely", validator.ConnectionRefused},
	}, {
		name: "a router that rejects the SYN", origin: closes, rule: "tcp dport 80 reject with tcp reset",
		want: label{capture.ByOrigin, capture.InHandshake, "likely", validator.ConnectionRefused},
	}, {
		name: "a router that rejects the request", origin: holds, rule: "tcp dport 80 ip length > 80 reject with tcp reset",
		want: label{capture.ByOrigin, capture.BeforeRequest, "open", validator.ResetBeforeRequest},
	}, {
		name: "a router that rejects the second request", origin: func(c *net.TCPConn) {
			answer(whole, func(*net.TCPConn) {})(c)
			holds(c)
		},
		rule:   `tcp dport 80 ip length > 80 limit rate over 1/minute burst 1 packets reject with tcp reset`,
		target: validator.Target{Requests: 2, Idle: 10 * time.Millisecond},
		want:   label{capture.Injected, capture.BeforeRequest, "likely", validator.InjectedReset},
	}, {
		name: "an address that swallows all", address: blackhole, silent: true,
		want: label{"", capture.InHandshake, "certain", validator.ConnectionTimeout},
	}, {
		name: "a path that goes silent after connect", origin: holds, silent: true,
		connected: "ip -n ROUTER route add blackhole 198.51.100.2/32",
		want:      label{"", capture.BeforeRequest, "certain", validator.RequestUnacknowledged},
	}, {
		name: "IPv6, SO_LINGER 0 after the request", origin: answer("", linger0), address: listening6,
		want: label{capture.ByOrigin, capture.AfterRequest, "certain", wire.ResetAfterRequest},
	},
}

func TestRealResetsGetTheVerdictThatWasMadeToHappen(t *testing.T) {
	n := newNetwork(t)
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			if s.address == listening6 && !hasIPv6() {
				missing(t, "the kernel has no IPv6")
			}
			n.play(t, s)
		})
	}
}

// play plays a scene, and looks at the verdict with the capture joined, and at
// that of the packets that were written.
func (n *network) play(t *testing.T, s scene) {
	address := s.address
	if address == "" {
		address = listening
	}
	p := &validator.Prober{Deadlines: deadlines}
	if s.silent {
		p.Deadlines = within(waiting)
	}
	origin := s.origin
	if s.first {
		over := make(chan struct{}, 1)
		origin = func(c *net.TCPConn) {
			s.origin(c)
			over <- struct{}{}
		}
		p.Connected = func(context.Context, net.Conn) error {
			<-over
			return nil
		}
	}
	if origin != nil {
		n.serve(t, n.origin, address, origin)
	}
	if address == listening6 {
		n.reach(t, address)
	}
	if s.rule != "" {
		n.rules(t, s.rule)
	}
	e, flow := n.probe(t, address, p, s)
	v := validator.Judge(e, nil)
	if assert.NotNil(t, e.TCP) {
		got := label{e.TCP.ResetBy, e.TCP.Stage, e.TCP.Confidence, v.Reason}
		assert.Equal(t, s.want, got, "joined: %s\n%s", v.Message, strings.Join(e.TCP.Evidence, "\n"))
	}
	if assert.NotNil(t, flow) {
		// The packets end before the deadline, unless one was sent again behind it.
		if s.silent && (flow.Verdict.OK() || flow.Last.Sub(flow.First) < waiting) {
			s.want.reason = wire.OK
		}
		got := label{flow.ResetBy, flow.Stage, flow.Evidence.TCP.Confidence, flow.Verdict.Reason}
		assert.Equal(t, s.want, got, "of the packets alone: %s", flow.Verdict.Message)
	}
}

// probe asks address from the client's namespace with a capture, and gives the
// evidence and the flow that was written.
func (n *network) probe(t *testing.T, address string, p *validator.Prober, s scene) (*validator.Evidence, *capture.Flow) {
	t.Helper()
	target := s.target
	target.URL = "http://" + address + "/"
	if s.connected != "" {
		line := strings.ReplaceAll(s.connected, "ROUTER", n.router)
		p.Connected = func(context.Context, net.Conn) error {
			run(t, line)
			return nil
		}
		t.Cleanup(func() { run(t, strings.ReplaceAll(line, " add ", " del ")) })
	}
	var file bytes.Buffer
	var e *validator.Evidence
	var err error
	n.within(n.client, func() {
		var tap *capture.Tap
		if tap, err = openTap("c0", capture.TapOptions{Deadlines: p.Deadlines, Pcap: &file}); err != nil {
			return
		}
		e, err = tap.Probe(t.Context(), p, target)
		assert.Zero(t, tap.Drops())
		assert.NoError(t, tap.Close())
	})
	require.NoError(t, err)
	var flow *capture.Flow
	for f, err := range capture.Flows(&file, capture.Options{All: true, Deadlines: deadlines}) {
		require.NoError(t, err)
		require.Nil(t, flow, "two flows")
		flow = f
	}
	return e, flow
}

func TestResetWithinTLSIsJoined(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			linger0(c.(*tls.Conn).NetConn().(*net.TCPConn))
		}
	}))
	s.StartTLS()
	defer s.Close()
	tap, err := capture.NewTap(open(t, capture.LiveOptions{Interface: "lo"}), capture.TapOptions{})
	require.NoError(t, err)
	defer tap.Close()
	e, err := tap.Probe(t.Context(), &validator.Prober{Policy: validator.Policy{Insecure: true}}, validator.Target{URL: s.URL})
	require.NoError(t, err)
	want := label{capture.ByOrigin, capture.AfterRequest, "certain", validator.TLSResetAfterHandshake}
	assert.Equal(t, want, label{e.TCP.ResetBy, e.TCP.Stage, e.TCP.Confidence, validator.Judge(e, nil).Reason})
	assert.Equal(t, e.Sent, e.Acked)
}

func TestEachRequestOfAConnectionHasItsFacts(t *testing.T) {
	tap, err := capture.NewTap(open(t, capture.LiveOptions{Interface: "lo"}), capture.TapOptions{})
	require.NoError(t, err)
	defer tap.Close()
	address := loopback(t, func(c *net.TCPConn) {
		answer(whole, func(*net.TCPConn) {})(c)
		answer("HTTP/1.1 200 OK\r\nContent-Le", linger0)(c)
	})
	var got []label
	for e, err := range tap.ProbeAll(t.Context(), &validator.Prober{}, validator.Target{URL: "http://" + address, Requests: 2}) {
		require.NoError(t, err)
		require.NotNil(t, e.TCP)
		got = append(got, label{e.TCP.ResetBy, e.TCP.Stage, e.TCP.Confidence, validator.Judge(e, nil).Reason})
	}
	assert.Equal(t, []label{
		{"", capture.AfterResponse, "certain", wire.OK},
		{capture.ByOrigin, capture.InHead, "certain", wire.HeadReset},
	}, got)
}

func openTap(name string, o capture.TapOptions) (*capture.Tap, error) {
	l, err := capture.OpenLive(capture.LiveOptions{Interface: name, Ring: 4 << 20})
	if err != nil {
		return nil, err
	}
	return capture.NewTap(l, o)
}
