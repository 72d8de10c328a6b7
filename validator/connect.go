package validator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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

// certificateError ends a handshake over the origin's certificate.
type certificateError struct {
	err tls.CertificateVerificationError
}

func (e *certificateError) Error() string { return e.err.Error() }

// Unwrap gives what crypto/tls would have said.
func (e *certificateError) Unwrap() error { return &e.err }

// encrypt makes the TLS handshake; it reports whether there is a connection.
func (x *exchange) encrypt(ctx context.Context, l *link) bool {
	facts := &TLSFacts{ServerName: x.ask.sni}
	x.e.TLS, l.tls, x.e.Phase = facts, facts, PhaseTLS
	config := tlsConfig(x.p.TLS, x.p.Policy.Insecure, facts, nil)
	began := time.Now()
	client, end, err := handshake(ctx, l.tap, config, facts, min(x.deadlines.TLS, time.Until(x.total)))
	x.e.Timing.TLS = time.Since(began)
	if err != nil {
		x.e.Error, x.e.End = err.Error(), end
		x.trace(StepInfo, 0, nil, "TLS handshake failed: %v", err)
		return false
	}
	l.Conn = client
	x.trace(StepInfo, 0, nil, "TLS %s, %s, in %v", facts.Version, facts.Cipher, x.e.Timing.TLS.Round(time.Microsecond))
	return true
}

// handshake makes the TLS handshake with the origin on t, in the time d at most,
// and fills in facts. Where it fails, end says how.
func handshake(ctx context.Context, t *tap, config *tls.Config, facts *TLSFacts, d time.Duration) (client *tls.Conn, end wire.End, err error) {
	client = tls.Client(t, config)
	limited, stop := context.WithTimeout(ctx, d)
	defer stop()
	t.SetDeadline(time.Now().Add(d))
	if err := client.HandshakeContext(limited); err != nil {
		end = unencrypted(err, facts)
		if limited.Err() != nil && ctx.Err() == nil {
			end = wire.Timeout
		}
		if end == NotTLS {
			facts.FirstBytes = t.first
		}
		return nil, end, err
	}
	t.SetDeadline(time.Time{})
	facts.agreed(client.ConnectionState())
	return client, wire.Open, nil
}

// agreed takes what a handshake agreed on.
func (t *TLSFacts) agreed(state tls.ConnectionState) {
	t.Version = tls.VersionName(state.Version)[len("TLS "):]
	t.Cipher = tls.CipherSuiteName(state.CipherSuite)
	t.ALPN = state.NegotiatedProtocol
}

// tlsConfig gives the configuration of a handshake with facts.ServerName, which
// fills in facts; base may be nil. An insecure one bears every certificate. The
// chains that the origin's verifies by are given to verified, unless it is nil.
func tlsConfig(base *tls.Config, insecure bool, facts *TLSFacts, verified func([][]*x509.Certificate)) *tls.Config {
	config := &tls.Config{}
	if base != nil {
		config = base.Clone()
	}
	config.ServerName = facts.ServerName
	if config.NextProtos == nil {
		config.NextProtos = []string{"http/1.1"}
	}
	own := config.GetClientCertificate
	certificates := config.Certificates
	config.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		facts.Asked = true
		given := &tls.Certificate{}
		if own != nil {
			c, err := own(r)
			if err != nil {
				return nil, err
			}
			given = c
		} else if len(certificates) > 0 {
			given = &certificates[0]
		}
		facts.Given = len(given.Certificate) > 0
		return given, nil
	}
	roots, now, verify := config.RootCAs, config.Time, config.VerifyConnection
	if now == nil {
		now = time.Now
	}
	config.InsecureSkipVerify = true // VerifyConnection does it, and tells what is wrong
	config.VerifyConnection = func(s tls.ConnectionState) error {
		chains, err := inspect(facts, s.PeerCertificates, roots, now())
		if err != nil && !insecure {
			return &certificateError{tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}}
		}
		s.VerifiedChains = chains
		if verified != nil {
			verified(s.VerifiedChains)
		}
		if verify != nil {
			return verify(s)
		}
		return nil
	}
	return config
}

// inspect finds what is wrong with the origin's certificate, in the order
// expired, name, untrusted; err is of the first. It gives the chains that the
// certificate verifies by.
func inspect(facts *TLSFacts, chain []*x509.Certificate, roots *x509.CertPool, now time.Time) (chains [][]*x509.Certificate, err error) {
	leaf := chain[0]
	facts.NotBefore, facts.NotAfter = leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339)
	facts.Issuer = leaf.Issuer.String()
	facts.Names = append(facts.Names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		facts.Names = append(facts.Names, ip.String())
	}
	find := func(r wire.Reason, e error) {
		facts.Certificate = append(facts.Certificate, r)
		if err == nil {
			err = e
		}
	}
	at := now
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		find(TLSCertificateExpired, x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired, Detail: "it is valid from " + facts.NotBefore + " to " + facts.NotAfter})
		at = leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)
	}
	if e := leaf.VerifyHostname(facts.ServerName); e != nil {
		find(TLSCertificateNameMismatch, e)
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	chains, e := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at})
	if e != nil {
		find(TLSCertificateUntrusted, e)
	}
	return chains, err
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
