package validator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"why520/wire"
)

// certificateError ends a handshake over the origin's certificate.
type certificateError struct {
	err tls.CertificateVerificationError
}

func (e *certificateError) Error() string { return e.err.Error() }

// Unwrap gives what crypto/tls would have said.
func (e *certificateError) Unwrap() error { return &e.err }

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

// offered gives what ALPN offers of configured protocols: not HTTP/2, which is not
// spoken here; HTTP/1.1 where nothing else was configured.
func offered(configured []string) []string {
	o := slices.DeleteFunc(slices.Clone(configured), func(protocol string) bool { return protocol == "h2" })
	if configured == nil || len(o) == 0 && len(configured) > 0 {
		return []string{"http/1.1"}
	}
	return o
}

// borne reports whether p lets pass what is wrong with the certificate; t may be
// nil.
func (t *TLSFacts) borne(p *Policy) bool { return t != nil && p.Insecure && len(t.Certificate) > 0 }

// tlsConfig gives the configuration of a handshake with facts.ServerName, which
// fills in facts; base may be nil. An insecure one bears every certificate. The
// chains that the origin's verifies by are given to verified, unless it is nil.
// The functions of base are called as crypto/tls calls them; their errors are
// *LocalErrors.
func tlsConfig(base *tls.Config, insecure bool, facts *TLSFacts, verified func([][]*x509.Certificate)) *tls.Config {
	config := &tls.Config{}
	if base != nil {
		config = base.Clone()
	}
	config.ServerName = facts.ServerName
	config.NextProtos = offered(config.NextProtos)
	config.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		facts.Asked = true
		given, err := clientCertificate(base, r)
		if err != nil {
			return nil, &LocalError{"choosing a client certificate for " + facts.ServerName, err}
		}
		facts.Given = len(given.Certificate) > 0
		return given, nil
	}
	roots, now, unverified := config.RootCAs, config.Time, config.InsecureSkipVerify
	if now == nil {
		now = time.Now
	}
	config.InsecureSkipVerify = true // VerifyConnection does it, and tells what is wrong
	config.VerifyPeerCertificate = nil
	config.VerifyConnection = func(s tls.ConnectionState) error {
		chains, err := inspect(facts, s.PeerCertificates, roots, now())
		if err != nil && !insecure {
			return &certificateError{tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}}
		}
		if err == nil && !unverified {
			s.VerifiedChains = chains
		}
		if verified != nil {
			verified(s.VerifiedChains)
		}
		if err := accept(base, s); err != nil {
			return &LocalError{"accepting the certificate of " + facts.ServerName, err}
		}
		return nil
	}
	return config
}

// clientCertificate gives the certificate of base that is wanted, or one without
// any.
func clientCertificate(base *tls.Config, wanted *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	switch {
	case base == nil:
	case base.GetClientCertificate != nil:
		return base.GetClientCertificate(wanted)
	default:
		for i := range base.Certificates {
			if c := &base.Certificates[i]; wanted.SupportsCertificate(c) == nil {
				return c, nil
			}
		}
	}
	return &tls.Certificate{}, nil
}

// accept asks what base has for it whether a connection is to go on. A session
// that is resumed sent no certificate.
func accept(base *tls.Config, s tls.ConnectionState) error {
	if base != nil && base.VerifyPeerCertificate != nil && !s.DidResume {
		var raw [][]byte
		for _, c := range s.PeerCertificates {
			raw = append(raw, c.Raw)
		}
		if err := base.VerifyPeerCertificate(raw, s.VerifiedChains); err != nil {
			return err
		}
	}
	if base != nil && base.VerifyConnection != nil {
		return base.VerifyConnection(s)
	}
	return nil
}

// shown takes what an origin's certificate says.
func (t *TLSFacts) shown(leaf *x509.Certificate) {
	t.NotBefore, t.NotAfter = leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339)
	t.Issuer = leaf.Issuer.String()
	t.Names = append(t.Names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		t.Names = append(t.Names, ip.String())
	}
}

// inspect finds what is wrong with the origin's certificate, in the order
// expired, name, untrusted; err is of the first. It gives the chains that the
// certificate verifies by.
func inspect(facts *TLSFacts, chain []*x509.Certificate, roots *x509.CertPool, now time.Time) (chains [][]*x509.Certificate, err error) {
	leaf := chain[0]
	facts.shown(leaf)
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
