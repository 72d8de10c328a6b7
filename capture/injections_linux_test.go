package capture_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
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

// A forgery is a reset in the origin's name that a device on the router sends to
// the client, right after it saw the request.
type forgery struct {
	ahead uint32 // of the sequence number that is due
	flags byte
	times int
}

// A device watches what passes at the router, as one that injects resets does.
type device struct {
	live   *capture.Live
	socket int
	seen   chan struct{} // closed when it has sent its resets
}

// device places one that forges resets on the router.
func (n *network) device(t *testing.T, f forgery) *device {
	t.Helper()
	d := &device{seen: make(chan struct{})}
	var err, failed error
	n.within(n.router, func() {
		d.live, err = capture.OpenLive(capture.LiveOptions{Interface: "r0", Ring: 1 << 20})
		d.socket, failed = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	})
	require.NoError(t, errors.Join(err, failed))
	done := make(chan struct{})
	go func() {
		defer close(done)
		var p capture.Packet
		var s capture.Segment
		for d.live.Next(&p) == nil {
			if s.Decode(&p) == capture.IsTCP && s.DestinationPort == 80 && s.Length > 0 {
				for i := range max(f.times, 1) {
					d.forge(t, &s, f.ahead*uint32(i+1), f.flags)
				}
				close(d.seen)
				return
			}
		}
	}()
	t.Cleanup(func() {
		d.live.Close()
		<-done
		unix.Close(d.socket)
	})
	return d
}

// forge sends a reset that answers the request s: with another hop limit and
// identification than the origin's, without timestamps, its window 0.
func (d *device) forge(t *testing.T, s *capture.Segment, ahead uint32, flags byte) {
	b := make([]byte, 40)
	b[0], b[3], b[8], b[9] = 4<<4|5, 40, 128, unix.IPPROTO_TCP
	binary.BigEndian.PutUint16(b[4:], 0xBEEF)
	client := s.SourceAddress().Addr().As4()
	copy(b[12:], s.DestinationAddress().Addr().AsSlice())
	copy(b[16:], client[:])
	tcp := b[20:]
	binary.BigEndian.PutUint16(tcp, s.DestinationPort)
	binary.BigEndian.PutUint16(tcp[2:], s.SourcePort)
	binary.BigEndian.PutUint32(tcp[4:], s.Ack+ahead)
	binary.BigEndian.PutUint32(tcp[8:], s.Seq+uint32(s.Length))
	tcp[12], tcp[13] = 5<<4, flags
	sum := uint32(unix.IPPROTO_TCP + len(tcp)) // of the pseudo-header (RFC 9293 section 3.1)
	for i := 12; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	binary.BigEndian.PutUint16(tcp[16:], ^uint16(sum))
	assert.NoError(t, unix.Sendto(d.socket, b, 0, &unix.SockaddrInet4{Addr: client}))
}

func TestForgedResetsAreToldFromTheOrigins(t *testing.T) {
	n := newNetwork(t)
	const outOfWindow, withinIt = 1 << 30, 1000
	for _, c := range []struct {
		name string
		forgery
		want label
	}{
		{"one, with ACK", forgery{0, capture.RST | capture.ACK, 1}, label{capture.Injected, capture.AfterRequest, "certain", validator.InjectedReset}},
		{"one, bare", forgery{0, capture.RST, 1}, label{capture.Injected, capture.AfterRequest, "certain", validator.InjectedReset}},
		{"several", forgery{0, capture.RST | capture.ACK, 3}, label{capture.Injected, capture.AfterRequest, "certain", validator.InjectedReset}},
		{"out of the window", forgery{outOfWindow, capture.RST | capture.ACK, 1}, label{"", capture.AfterResponse, "certain", wire.OK}},
		{"in the window, challenged", forgery{withinIt, capture.RST | capture.ACK, 1}, label{"", capture.AfterResponse, "certain", wire.OK}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := n.device(t, c.forgery)
			n.serve(t, n.origin, listening, func(conn *net.TCPConn) {
				readHead(conn)
				if c.want.reason == wire.OK {
					<-d.seen
				} else {
					holds(conn)
				}
				_, _ = io.WriteString(conn, whole)
				conn.Close()
			})
			e, flow := n.probe(t, listening, &validator.Prober{Deadlines: deadlines}, scene{})
			v := validator.Judge(e, nil)
			assert.Equal(t, c.want, label{e.TCP.ResetBy, e.TCP.Stage, e.TCP.Confidence, v.Reason}, "%s", strings.Join(e.TCP.Evidence, "\n"))
			require.NotNil(t, flow)
			assert.Equal(t, c.want, label{flow.ResetBy, flow.Stage, flow.Evidence.TCP.Confidence, flow.Verdict.Reason},
				"%s", strings.Join(flow.Evidence.TCP.Evidence, "\n"))
		})
	}
}

// saysNothing waits for the client's end.
func saysNothing(c *net.TCPConn) {
	_, _ = io.Copy(io.Discard, c)
	c.Close()
}

// flows gives the flows that pass at the client while do runs there.
func (n *network) flows(t *testing.T, d validator.Deadlines, do func()) []*capture.Flow {
	t.Helper()
	var l *capture.Live
	var err error
	n.within(n.client, func() { l, err = capture.OpenLive(capture.LiveOptions{Interface: "c0", Ring: 4 << 20}) })
	require.NoError(t, err)
	var flows []*capture.Flow
	done := make(chan struct{})
	go func() {
		defer close(done)
		tracker := capture.NewTracker(capture.Options{All: true, Deadlines: d}, func(f *capture.Flow) { flows = append(flows, f) })
		var p capture.Packet
		var s capture.Segment
		for l.Next(&p) == nil {
			if s.Decode(&p) == capture.IsTCP && s.SourcePort == marked {
				break
			}
			tracker.Packet(&p)
		}
		tracker.Lost(l.Drops())
		tracker.Close()
	}()
	n.within(n.client, func() {
		do()
		_, err := net.Dial("tcp", closedPort)
		assert.ErrorIs(t, err, unix.ECONNREFUSED)
	})
	<-done
	assert.NoError(t, l.Close())
	return slices.DeleteFunc(flows, func(f *capture.Flow) bool { return f.Origin.Port() == marked })
}

// marked is the port whose refusal says that all was captured that came before.
const marked = 81

func TestNoResetOfTheOriginIsClaimedWhereNoneCounts(t *testing.T) {
	n := newNetwork(t)
	dial := func() *net.TCPConn {
		c, err := net.Dial("tcp", listening)
		if !assert.NoError(t, err) {
			panic(err)
		}
		return c.(*net.TCPConn)
	}
	over := make(chan struct{})
	ask := func(c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
	for _, c := range []struct {
		name   string
		origin func(*net.TCPConn)
		client func()
		by     string
		reason wire.Reason
		note   wire.Reason
	}{
		{"the client resets, waiting", saysNothing, func() {
			c := dial()
			ask(c)
			linger0(c)
		}, capture.ByClient, wire.OK, validator.ClientReset},
		{"the client closes, waiting", saysNothing, func() {
			c := dial()
			ask(c)
			c.Close()
		}, "", wire.OK, validator.ClientClosed},
		{"the client resets with the answer unread", answer(whole, holds), func() {
			c := dial()
			ask(c)
			_, _ = c.Read(make([]byte, 1))
			c.Close()
		}, capture.ByClient, wire.OK, validator.ClientReset},
		{"the origin answers a closed client with a reset", func(c *net.TCPConn) {
			readHead(c)
			_, _ = io.Copy(io.Discard, c)
			linger0(c)
			close(over)
		}, func() {
			c := dial()
			ask(c)
			c.Close()
			<-over
		}, capture.ByOrigin, wire.OK, validator.ClientClosed},
		{"the client resets after the silence of the origin", saysNothing, func() {
			c := dial()
			ask(c)
			time.Sleep(waiting + 20*time.Millisecond) // the silence that the packets have to show
			linger0(c)
		}, capture.ByClient, wire.FirstByteTimeout, validator.ClientReset},
	} {
		t.Run(c.name, func(t *testing.T) {
			n.serve(t, n.origin, listening, c.origin)
			d := deadlines
			if c.reason == wire.FirstByteTimeout {
				d = within(waiting)
			}
			flows := n.flows(t, d, c.client)
			require.Len(t, flows, 1)
			f := flows[0]
			assert.Equal(t, c.by, f.ResetBy, "%s", strings.Join(f.Evidence.TCP.Evidence, "\n"))
			assert.Equal(t, c.reason, f.Verdict.Reason, f.Verdict.Message)
			var notes []wire.Reason
			for _, n := range f.Verdict.Notes {
				notes = append(notes, n.Reason)
			}
			assert.Contains(t, notes, c.note)
		})
	}
}

func TestResetAfterBothClosesDoesNotCount(t *testing.T) {
	n := newNetwork(t)
	n.serve(t, n.origin, listening, answer(whole, closes))
	flows := n.flows(t, deadlines, func() {
		c, err := net.Dial("tcp", listening)
		if !assert.NoError(t, err) {
			return
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
		local := c.LocalAddr().(*net.TCPAddr).AddrPort()
		c.Close()
		// The origin's TCP, asked again by what the old connection left, resets it.
		n.stray(t, local.Port())
	})
	require.Len(t, flows, 1)
	assert.Empty(t, flows[0].ResetBy)
	assert.Equal(t, wire.OK, flows[0].Verdict.Reason)
	assert.Contains(t, strings.Join(flows[0].Evidence.TCP.Evidence, "\n"), "both sides had closed")
}

// stray sends a segment of no connection from the client, which the origin
// answers with a reset.
func (n *network) stray(t *testing.T, port uint16) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if !assert.NoError(t, err) {
		return
	}
	defer unix.Close(socket)
	s := capture.Segment{
		Source: capture.AddressOf(netip.MustParseAddr("198.51.100.2")), Destination: capture.AddressOf(netip.MustParseAddr("192.0.2.2")),
		SourcePort: 80, DestinationPort: port, Seq: 1, Ack: 7,
	}
	(&device{socket: socket}).forge(t, &s, 0, capture.ACK)
}

func TestFlowJoinedInTheMiddleBlamesNobody(t *testing.T) {
	n := newNetwork(t)
	let := make(chan struct{})
	n.serve(t, n.origin, listening, func(c *net.TCPConn) {
		readHead(c)
		<-let
		readHead(c)
		linger0(c)
	})
	var c net.Conn
	var err error
	n.within(n.client, func() { c, err = (&net.Dialer{}).DialContext(context.Background(), "tcp", listening) })
	require.NoError(t, err)
	defer c.Close()
	const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	_, _ = io.WriteString(c, request)
	flows := n.flows(t, deadlines, func() {
		close(let)
		_, _ = io.WriteString(c, request)
		_, err := c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, unix.ECONNRESET)
	})
	require.Len(t, flows, 1)
	assert.Empty(t, flows[0].ResetBy)
	assert.Equal(t, wire.OK, flows[0].Verdict.Reason)
	assert.Equal(t, validator.FlowJoinedInTheMiddle, flows[0].Verdict.Notes[0].Reason)
}
