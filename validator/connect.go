package validator

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"time"

	"why520/wire"
)

// connect dials address, sends the preface, and makes the TLS handshake. It
// gives nil where the exchange ended with that: then it is all in x.
func (x *exchange) connect(ctx context.Context, address string) *link {
	x.e.Phase = PhaseConnect
	limit := min(x.deadlines.Connect, time.Until(x.total))
	dialer := net.Dialer{Timeout: limit, FallbackDelay: -1, KeepAlive: -1, ControlContext: x.p.Control}
	dialer.SetMultipathTCP(false)
	if x.p.Source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(x.p.Source, 0))
	}
	x.trace(StepInfo, 0, nil, "connecting to %s", address)
	began := time.Now()
	c, err := dialer.DialContext(ctx, "tcp", address)
	x.e.Timing.Connect = time.Since(began)
	if err != nil {
		x.e.Error = err.Error()
		x.e.End, x.local = notConnectedBy(err, address)
		x.trace(StepInfo, 0, nil, "not connected: %v", err)
		return nil
	}
	x.trace(StepInfo, 0, nil, "connected from %s in %v", c.LocalAddr(), x.e.Timing.Connect.Round(time.Microsecond))
	l := &link{tap: newTap(c, x.e.Timing.Connect)}
	l.Conn = l.tap
	l.release = context.AfterFunc(ctx, func() { c.Close() })
	if x.p.Connected != nil {
		if err := x.p.Connected(ctx, c); err != nil {
			x.local = &LocalError{"preparing the connection to " + address, err}
			l.close()
			return nil
		}
	}
	if h := x.p.Preface.header(c); h != nil {
		c.SetWriteDeadline(time.Now().Add(x.deadlines.Write))
		if _, err := l.tap.Write(h); err != nil {
			x.e.Error = err.Error() // the exchange will see the end for itself
		}
		x.trace(StepSent, 0, h, "PROXY protocol header")
	}
	if x.ask.tls && !x.encrypt(ctx, l) {
		l.close()
		return nil
	}
	x.e.Phase = PhaseRequest
	x.settle(l)
	return l
}

// header gives the header of the PROXY protocol for c.
func (p Preface) header(c net.Conn) []byte {
	if p == NoPreface {
		return nil
	}
	from := c.LocalAddr().(*net.TCPAddr).AddrPort()
	to := c.RemoteAddr().(*net.TCPAddr).AddrPort()
	source, destination := from.Addr().Unmap(), to.Addr().Unmap()
	if p == ProxyV1 {
		family := "TCP6"
		if source.Is4() {
			family = "TCP4"
		}
		return fmt.Appendf(nil, "PROXY %s %s %s %d %d\r\n", family, source, destination, from.Port(), to.Port())
	}
	const proxyCommand, stream4, stream6 = 0x21, 0x11, 0x21
	family := byte(stream6)
	if source.Is4() {
		family = stream4
	}
	addresses := append(source.AsSlice(), destination.AsSlice()...)
	h := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), proxyCommand, family)
	h = binary.BigEndian.AppendUint16(h, uint16(len(addresses)+4))
	h = append(h, addresses...)
	h = binary.BigEndian.AppendUint16(h, from.Port())
	return binary.BigEndian.AppendUint16(h, to.Port())
}

// encrypt makes the TLS handshake; it reports whether there is a connection.
func (x *exchange) encrypt(ctx context.Context, l *link) bool {
	facts := &TLSFacts{ServerName: x.ask.sni}
	x.e.TLS, l.tls, x.e.Phase = facts, facts, PhaseTLS
	config := tlsConfig(x.p.TLS, x.p.Policy.Insecure, facts, nil)
	began := time.Now()
	client, end, err := handshake(ctx, l.tap, config, facts, min(x.deadlines.TLS, time.Until(x.total)))
	x.e.Timing.TLS = time.Since(began)
	if err != nil {
		x.e.Error, x.e.End, x.local = err.Error(), end, refusedHere(err)
		x.trace(StepInfo, 0, nil, "TLS handshake failed: %v", err)
		return false
	}
	l.Conn = client
	x.trace(StepInfo, 0, nil, "TLS %s, %s, in %v", facts.Version, facts.Cipher, x.e.Timing.TLS.Round(time.Microsecond))
	return true
}

// settle watches a new connection for a moment before the request: for a
// reset, a close, or bytes of an origin that speaks first.
func (x *exchange) settle(l *link) {
	d := x.p.Settle
	if d == 0 {
		d = min(2*l.tap.trip+2*time.Millisecond, 50*time.Millisecond)
	}
	if d > 0 {
		x.watch(l, d)
	}
}

// watch reads what comes within d.
func (x *exchange) watch(l *link, d time.Duration) {
	if l.earlyEnd != nil {
		return
	}
	buf := make([]byte, 4096)
	l.SetReadDeadline(time.Now().Add(d))
	n, err := l.Read(buf)
	l.early = append(l.early, buf[:n]...)
	if err != nil && ended(err) != wire.Timeout {
		l.earlyEnd = err
	}
	l.SetReadDeadline(time.Time{})
}
