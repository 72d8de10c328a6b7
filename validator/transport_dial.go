package validator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptrace"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"why520/wire"
)

// connect gives x a connection: an idle one, or a new one. Where that fails, x
// knows the end.
func (x *trip) connect() bool {
	if x.trace != nil && x.trace.GetConn != nil {
		address, _ := x.key.address()
		x.trace.GetConn(address)
	}
	var c *conn
	var err error
	if !x.turn {
		c, err = x.t.pool.take(x.ctx, x)
	}
	switch {
	case err != nil:
		x.cause = err
		return false
	case c == nil:
		x.turn = true
		if c = x.dial(); c == nil {
			if x.turn {
				x.t.pool.unmade(x.o)
			}
			x.turn = false
			return false
		}
		x.turn = false
	}
	x.c, x.dialling = c, nil
	if x.trace != nil && x.trace.GotConn != nil {
		info := httptrace.GotConnInfo{Conn: c.link.Conn, Reused: c.uses > 0}
		if c.facts == nil {
			info.Conn = c.tap.Conn
		}
		if info.Reused {
			info.WasIdle, info.IdleTime = true, time.Since(c.idleAt)
		}
		x.trace.GotConn(info)
	}
	c.uses++
	return true
}

// address gives what to dial for k, as http.Transport does: the name in ASCII
// and the port.
func (k originKey) address() (string, error) {
	host, port := k.host, ""
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i+1:]
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if !isASCII(host) {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return "", err
		}
		host = ascii
	}
	switch {
	case port == "" && k.tls:
		port = "443"
	case port == "":
		port = "80"
	}
	return net.JoinHostPort(host, port), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// dial makes a connection to x.o, or gives nil: then x knows the end.
func (x *trip) dial() *conn {
	t, d := x.t, &x.t.settings().deadlines
	address, err := x.key.address()
	if err != nil {
		x.cause = err
		return nil
	}
	x.phase, x.address = PhaseConnect, address
	ctx, stop := context.WithTimeout(x.ctx, x.within(d.Connect))
	defer stop()
	began := time.Now()
	var nc net.Conn
	through := x.key.tls && t.DialTLSContext != nil
	switch {
	case through:
		nc, err = x.reach(ctx, t.DialTLSContext, address)
	case t.DialContext != nil:
		nc, err = x.reach(ctx, t.DialContext, address)
	default:
		nc, err = new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	x.dialled = time.Since(began)
	if err == nil && nc == nil {
		err = errNoConnection
	}
	if err != nil {
		x.notDialled(err, address, through)
		return nil
	}
	x.dialling = nc
	c := t.newConn(x.o, nc, address, x.dialled)
	x.address = c.address
	switch {
	case through && !x.adopt(c, nc, x.within(d.TLS)), x.key.tls && !through && !x.encrypt(c, address, x.within(d.TLS)):
		c.close()
		x.dialling = nil
		return nil
	}
	return c
}

// newConn gives a connection to o that was made of nc in that time.
func (t *Transport) newConn(o *origin, nc net.Conn, address string, took time.Duration) *conn {
	c := &conn{o: o, address: address}
	c.tap = newTap(nc, took)
	c.link.Conn = c.tap
	c.kill = func() { nc.Close() }
	c.cut = func() {
		nc.Close()
		t.pool.gone(c)
	}
	c.blind = !c.tap.plain && c.tap.SetReadDeadline(noTime) != nil
	if a := nc.RemoteAddr(); a != nil {
		c.address = a.String()
	}
	return c
}

// notDialled takes in why there is no connection to address, with TLS on it
// perhaps.
func (x *trip) notDialled(err error, address string, encrypted bool) {
	x.cause = err
	host, _, _ := net.SplitHostPort(address)
	switch {
	case unresolved(err):
		x.phase, x.name = PhaseDNS, new(NameFacts)
		x.end, x.name.Code, x.local = unnamed(err, host)
	case encrypted && ofTLS(err):
		x.phase, x.tls = PhaseTLS, &TLSFacts{ServerName: host}
		x.end = unencrypted(err, x.tls)
	default:
		x.end, x.local = notConnectedBy(err, address)
	}
}

// below gives the connection below TLS that was made elsewhere, or c itself.
func below(c net.Conn) net.Conn {
	if wrapped, ok := c.(interface{ NetConn() net.Conn }); ok {
		return wrapped.NetConn()
	}
	return c
}

// encrypt makes the TLS handshake on c.
func (x *trip) encrypt(c *conn, address string, limit time.Duration) bool {
	base := x.t.TLSClientConfig
	facts := &TLSFacts{}
	facts.ServerName, _, _ = net.SplitHostPort(address)
	insecure := x.t.settings().policy.Insecure
	if base != nil {
		facts.ServerName = either(base.ServerName, facts.ServerName)
		insecure = insecure || base.InsecureSkipVerify
	}
	x.phase, x.tls = PhaseTLS, facts
	if x.trace != nil && x.trace.TLSHandshakeStart != nil {
		x.trace.TLSHandshakeStart()
	}
	var chains [][]*x509.Certificate
	config := tlsConfig(base, insecure, facts, func(v [][]*x509.Certificate) { chains = v })
	began := time.Now()
	c.tap.framed = true
	client, end, err := handshake(x.ctx, c.tap, config, facts, limit)
	x.encrypted = time.Since(began)
	var state tls.ConnectionState
	if err == nil {
		state = client.ConnectionState()
		state.VerifiedChains = chains
		c.link.Conn, c.link.tls, c.facts, c.state = client, facts, facts, &state
	}
	if x.trace != nil && x.trace.TLSHandshakeDone != nil {
		x.trace.TLSHandshakeDone(state, err)
	}
	if err != nil {
		x.end, x.cause, x.local = end, err, refusedHere(err)
		return false
	}
	return true
}

// adopt takes a connection that has TLS on it already; its handshake is made
// here, if it was not yet.
func (x *trip) adopt(c *conn, nc net.Conn, limit time.Duration) bool {
	facts := &TLSFacts{}
	x.phase, x.tls, c.facts = PhaseTLS, facts, facts
	t, ok := nc.(interface {
		HandshakeContext(context.Context) error
		ConnectionState() tls.ConnectionState
	})
	if !ok {
		return true
	}
	ctx, stop := context.WithTimeout(x.ctx, limit)
	defer stop()
	if err := t.HandshakeContext(ctx); err != nil {
		x.cause = err
		if x.end = unencrypted(err, facts); ctx.Err() != nil && x.ctx.Err() == nil {
			x.end = wire.Timeout
		}
		return false
	}
	state := t.ConnectionState()
	if state.NegotiatedProtocol == "h2" {
		x.local = &LocalError{"dialling " + c.address, errHTTP2}
		return false
	}
	c.state = &state
	facts.ServerName = state.ServerName
	facts.agreed(state)
	return true
}

// close ends the connection.
func (c *conn) close() {
	c.tap.closing.Store(true)
	c.link.Conn.Close()
	c.tap.Close()
}
