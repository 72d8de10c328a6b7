package validator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"why520/wire"
)

// Around makes t, which was not used yet, dial through g, and gives the
// RoundTripper to be used in its place; that also fills in Response.TLS, which
// http.Transport leaves empty where it did not make the TLS handshake itself.
// What t had of DialContext, DialTLSContext and TLSClientConfig is replaced: g's
// Connect and TLSClientConfig stand for them. There is no HTTP/2 then. Where t has
// an HTTP proxy, the origin is the proxy: of what goes through its tunnels, which is
// https, its answer to CONNECT alone is judged.
//
// The error of RoundTrip, and of reading the body, wraps the *[Error]; it keeps
// to what http.Transport does otherwise: where a reused connection fails before
// the response, and the request may be sent twice, it is.
func (g *Guard) Around(t *http.Transport) http.RoundTripper {
	t.DialContext = g.DialContext
	t.DialTLSContext = g.DialTLSContext
	t.TLSClientConfig, t.TLSNextProto = g.withinTunnels(), nil
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	return &around{t}
}

// withinTunnels gives the configuration of TLS that is not made by g.
func (g *Guard) withinTunnels() *tls.Config {
	config := &tls.Config{}
	if g.TLSClientConfig != nil {
		config = g.TLSClientConfig.Clone()
	}
	config.NextProtos = offered(config.NextProtos)
	config.InsecureSkipVerify = config.InsecureSkipVerify || g.Policy != nil && g.Policy.Insecure
	return config
}

type around struct{ t *http.Transport }

// RoundTrip is t's, with Response.TLS.
func (a *around) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.URL.Scheme != "https" {
		return a.t.RoundTrip(req)
	}
	var state *tls.ConnectionState
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if c, ok := i.Conn.(*Conn); ok {
			state = c.state
		}
	}}
	traced := req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	resp, err := a.t.RoundTrip(traced)
	if resp != nil {
		resp.Request = req
		if resp.TLS == nil {
			resp.TLS = state
		}
	}
	return resp, err
}

// CloseIdleConnections closes the connections that no request is using.
func (a *around) CloseIdleConnections() { a.t.CloseIdleConnections() }

// DialContext makes a connection without TLS. Where that fails, and not for
// reasons of this machine's or of the caller's, the error is an *[Error].
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := g.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// DialTLSContext makes a connection with TLS, for the host in address or
// TLSClientConfig's ServerName; it offers http/1.1 alone unless TLSClientConfig
// has NextProtos. Errors are as DialContext's.
func (g *Guard) DialTLSContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := g.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := g.encrypt(ctx, c, address); err != nil {
		c.net.Close()
		return nil, err
	}
	return c, nil
}

// DialAddr is DialContext for clients that have no context: what fasthttp takes
// as Dial. Its client takes every error before the first byte of a response for
// the connection's end: of heads that are refused, OnVerdict tells alone.
func (g *Guard) DialAddr(address string) (net.Conn, error) {
	return g.DialContext(context.Background(), "tcp", address)
}

// DialTLSAddr is DialTLSContext for clients that have no context. A fasthttp
// client takes it as Dial with IsTLS false, and asks for http URLs: with IsTLS it
// would put TLS above the Conn.
func (g *Guard) DialTLSAddr(address string) (net.Conn, error) {
	return g.DialTLSContext(context.Background(), "tcp", address)
}

// dial makes a TCP connection.
func (g *Guard) dial(ctx context.Context, network, address string) (*Conn, error) {
	limited, stop := context.WithTimeout(ctx, g.settings().deadlines.Connect)
	defer stop()
	connect := g.Connect
	if connect == nil {
		connect = new(net.Dialer).DialContext
	}
	began := time.Now()
	over, err := connect(limited, network, address)
	took := time.Since(began)
	if err == nil && over == nil {
		err = errNoConnection
	}
	if err != nil {
		e := newEvidence(g.set.policy)
		e.Address, e.Phase, e.Timing.Connect = address, PhaseConnect, took
		var local error
		if unresolved(err) {
			e.Phase, e.Name = PhaseDNS, new(NameFacts)
			host, _, _ := net.SplitHostPort(address)
			e.End, e.Name.Code, local = unnamed(err, host)
		} else {
			e.End, local = notConnectedBy(err, address)
		}
		return nil, g.unconnected(ctx, e, err, local)
	}
	c := &Conn{g: g, dialled: [2]time.Duration{took}}
	c.link.tap = newTap(over, took)
	c.link.Conn = c.link.tap
	c.begun(over)
	return c, nil
}

// encrypt makes the TLS handshake on c.
func (g *Guard) encrypt(ctx context.Context, c *Conn, address string) error {
	base, insecure := g.TLSClientConfig, g.set.policy.Insecure
	facts := &TLSFacts{}
	facts.ServerName, _, _ = net.SplitHostPort(address)
	if base != nil {
		facts.ServerName = either(base.ServerName, facts.ServerName)
		insecure = insecure || base.InsecureSkipVerify
	}
	var chains [][]*x509.Certificate
	config := tlsConfig(base, insecure, facts, func(v [][]*x509.Certificate) { chains = v })
	began := time.Now()
	c.link.tap.framed = true
	client, end, err := handshake(ctx, c.link.tap, config, facts, g.set.deadlines.TLS)
	c.dialled[1] = time.Since(began)
	if err != nil {
		e := newEvidence(g.set.policy)
		e.Address, e.Phase, e.End, e.TLS = c.address, PhaseTLS, end, facts
		e.Timing.Connect, e.Timing.TLS = c.dialled[0], c.dialled[1]
		return g.unconnected(ctx, e, err, refusedHere(err))
	}
	state := client.ConnectionState()
	state.VerifiedChains = chains
	c.net, c.link.Conn, c.link.tls, c.facts, c.state = client, client, facts, facts, &state
	return nil
}

// unconnected gives the error for a connection that could not be made, for
// cause: local, where that is a fault of this machine's.
func (g *Guard) unconnected(ctx context.Context, e *Evidence, cause, local error) error {
	e.Error = cause.Error()
	switch v := Judge(e, nil); {
	case ctx.Err() != nil:
		return leftBy(ctx.Err(), context.Cause(ctx))
	case local != nil:
		return local
	case v.Reason == wire.OK:
		return &LocalError{"dialling " + e.Address, cause}
	default:
		g.tell(nil, e, &v)
		return &Error{&v, e, cause}
	}
}
