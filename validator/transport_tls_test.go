package validator_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/origintest"
)

// secured starts an origin within TLS, and gives a configuration that trusts it.
func secured(t *testing.T, config *tls.Config, serve http.HandlerFunc) (*httptest.Server, *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(serve)
	s.TLS = config
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, &tls.Config{RootCAs: roots}
}

// An encrypter makes requests within TLS, each on a connection of its own; it
// tells told of verdicts.
type encrypter func(config *tls.Config, told func()) func(url string) error

// encrypters are all that make TLS handshakes.
var encrypters = map[string]encrypter{
	"Transport": func(config *tls.Config, told func()) func(string) error {
		return asks(&validator.Transport{TLSClientConfig: config, DisableKeepAlives: true,
			OnVerdict: func(*http.Request, *validator.Evidence, *validator.Verdict) { told() }})
	},
	"Guard": func(config *tls.Config, told func()) func(string) error {
		g := &validator.Guard{TLSClientConfig: config, OnVerdict: func(*validator.Conn, *validator.Evidence, *validator.Verdict) { told() }}
		return asks(g.Around(&http.Transport{DisableKeepAlives: true}))
	},
	"Prober": func(config *tls.Config, told func()) func(string) error {
		p := &validator.Prober{TLS: config, Settle: -1}
		return func(url string) error {
			e, err := p.Probe(context.Background(), validator.Target{URL: url})
			if err != nil {
				return err
			}
			told()
			if v := validator.Judge(e, nil); !v.OK() {
				return v.Reason
			}
			return nil
		}
	},
}

func asks(tr http.RoundTripper) func(string) error {
	return func(url string) error {
		_, _, err := do(tr, "GET", url, nil)
		return err
	}
}

// As crypto/tls does, the functions of a configuration that look at certificates
// are called behind its own verification, with what that found.
func TestTheCallersOwnChecksOfACertificateAreMade(t *testing.T) {
	s, trusting := secured(t, nil, func(http.ResponseWriter, *http.Request) {})
	root := s.Certificate()
	for name, encrypt := range encrypters {
		var calls []string
		look := func(call string, leaf []byte, chains [][]*x509.Certificate) {
			assert.Equal(t, root.Raw, leaf)
			if chains != nil && assert.Len(t, chains, 1) {
				assert.True(t, chains[0][len(chains[0])-1].Equal(root))
				call += ", verified"
			}
			calls = append(calls, call)
		}
		checking := trusting.Clone()
		checking.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) error {
			look("peer", raw[0], chains)
			return nil
		}
		checking.VerifyConnection = func(s tls.ConnectionState) error {
			look("connection", s.PeerCertificates[0].Raw, s.VerifiedChains)
			return nil
		}
		require.NoError(t, encrypt(checking, func() {})(s.URL), name)
		assert.Equal(t, []string{"peer, verified", "connection, verified"}, calls, name)

		untrusting := checking.Clone()
		untrusting.RootCAs, calls = x509.NewCertPool(), nil
		assert.ErrorIs(t, encrypt(untrusting, func() {})(s.URL), validator.TLSCertificateUntrusted, name)
		assert.Empty(t, calls, "%s: there is nothing to be looked at", name)

		if name != "Prober" { // whose policy decides that
			untrusting.InsecureSkipVerify = true
			require.NoError(t, encrypt(untrusting, func() {})(s.URL), name)
			insecure := checking.Clone()
			insecure.InsecureSkipVerify = true
			require.NoError(t, encrypt(insecure, func() {})(s.URL), name)
			assert.Equal(t, []string{"peer", "connection", "peer", "connection"}, calls, name)
		}
	}
}

// A certificate that a policy lets pass was not verified, and every verdict says so.
func TestACertificateThatThePolicyBearsIsNoted(t *testing.T) {
	s, config := secured(t, nil, func(http.ResponseWriter, *http.Request) {})
	config.ServerName = "other.test"
	config.VerifyPeerCertificate = func(_ [][]byte, chains [][]*x509.Certificate) error {
		assert.Empty(t, chains)
		return nil
	}
	policy := validator.Report()
	policy.Insecure = true
	tr, seen := transport(t)
	tr.Policy, tr.TLSClientConfig = &policy, config
	var told []*validator.Verdict
	g := &validator.Guard{Policy: &policy, TLSClientConfig: config, OnVerdict: func(_ *validator.Conn, _ *validator.Evidence, v *validator.Verdict) {
		told = append(told, v.Clone())
	}}
	around := aroundHTTP(t, g)
	for range 2 {
		for _, tr := range []http.RoundTripper{tr, around} {
			resp, _, err := do(tr, "GET", s.URL, nil)
			require.NoError(t, err)
			assert.Empty(t, resp.TLS.VerifiedChains)
		}
	}
	told = append(told, seen.list()...)
	assert.Len(t, told, 4)
	for _, v := range told {
		if assert.Len(t, v.Notes, 1) {
			assert.Equal(t, validator.TLSCertificateNameMismatch, v.Notes[0].Reason)
		}
	}
}

// What a function of the caller's refuses, the origin did not break off.
func TestAHandshakeThatThisSideRefusesIsNoVerdict(t *testing.T) {
	s, trusting := secured(t, &tls.Config{ClientAuth: tls.RequestClientCert}, func(http.ResponseWriter, *http.Request) {})
	mine := errors.New("mine")
	for refuses, set := range map[string]func(*tls.Config){
		"VerifyPeerCertificate": func(c *tls.Config) {
			c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return mine }
		},
		"VerifyConnection": func(c *tls.Config) {
			c.VerifyConnection = func(tls.ConnectionState) error { return mine }
		},
		"GetClientCertificate": func(c *tls.Config) {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, mine }
		},
	} {
		for name, encrypt := range encrypters {
			config := trusting.Clone()
			set(config)
			err := encrypt(config, func() { assert.Fail(t, "told of a verdict", "%s, %s", name, refuses) })(s.URL)
			assert.ErrorIs(t, err, mine, "%s, %s", name, refuses)
			var local *validator.LocalError
			assert.ErrorAs(t, err, &local, "%s, %s", name, refuses)
			var failed *validator.Error
			assert.False(t, errors.As(err, &failed), "%s, %s: %v", name, refuses, err)
		}
	}
}

// A session that is resumed has the certificate of the one before, which is
// verified again: its time may be over.
func TestAResumedSessionIsVerifiedAgain(t *testing.T) {
	s, config := secured(t, nil, func(http.ResponseWriter, *http.Request) {})
	var calls []string
	config.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error {
		calls = append(calls, "peer")
		return nil
	}
	config.VerifyConnection = func(s tls.ConnectionState) error {
		assert.NotEmpty(t, s.VerifiedChains)
		calls = append(calls, map[bool]string{false: "connection", true: "resumed"}[s.DidResume])
		return nil
	}
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	tr, _ := transport(t)
	tr.TLSClientConfig, tr.DisableKeepAlives = config, true
	for _, resumed := range []bool{false, true} {
		resp, _, err := do(tr, "GET", s.URL, nil)
		require.NoError(t, err)
		assert.Equal(t, resumed, resp.TLS.DidResume)
		assert.NotEmpty(t, resp.TLS.VerifiedChains)
	}
	assert.Equal(t, []string{"peer", "connection", "resumed"}, calls)
	late := config.Clone()
	late.Time = func() time.Time { return s.Certificate().NotAfter.Add(time.Hour) }
	tr = &validator.Transport{TLSClientConfig: late}
	_, _, err := do(tr, "GET", s.URL, nil)
	assert.ErrorIs(t, err, validator.TLSCertificateExpired)
}

// clientOf gives a certificate for a client that an authority of that name signed,
// and the authority's.
func clientOf(t *testing.T, authority string) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	sign := func(template, parent *x509.Certificate) *x509.Certificate {
		template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(1), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, key)
		require.NoError(t, err)
		c, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return c
	}
	root := &x509.Certificate{Subject: pkix.Name{CommonName: authority}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root = sign(root, root)
	leaf := sign(&x509.Certificate{Subject: pkix.Name{CommonName: "client of " + authority}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, root)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}, root
}

func TestOfSeveralClientCertificatesTheOneThatIsAskedForIsGiven(t *testing.T) {
	one, _ := clientOf(t, "one")
	two, authority := clientOf(t, "two")
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	got := make(chan string, 1)
	s, config := secured(t, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}, func(_ http.ResponseWriter, q *http.Request) {
		got <- q.TLS.PeerCertificates[0].Subject.CommonName
	})
	for name, encrypt := range encrypters {
		config.Certificates = []tls.Certificate{one, two}
		if assert.NoError(t, encrypt(config, func() {})(s.URL), name) {
			assert.Equal(t, "client of two", <-got)
		}
		config.Certificates = []tls.Certificate{one}
		assert.ErrorIs(t, encrypt(config, func() {})(s.URL), validator.TLSClientCertificateRequired, name)
	}
}

// A configuration that net/http's transport shares may offer HTTP/2, which is not
// spoken here; it is not changed.
func TestHTTP2IsNotOffered(t *testing.T) {
	var offered [][]string
	s, config := secured(t, &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, func(w http.ResponseWriter, q *http.Request) {
		assert.Equal(t, 1, q.ProtoMajor)
	})
	s.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		offered = append(offered, hello.SupportedProtos)
		return nil, nil
	}
	for _, c := range []struct{ set, want []string }{
		{nil, []string{"http/1.1"}},
		{[]string{"h2", "http/1.1"}, []string{"http/1.1"}},
		{[]string{"h2"}, []string{"http/1.1"}},
		{[]string{"http/1.1", "http/1.0"}, []string{"http/1.1", "http/1.0"}},
		{[]string{}, nil},
	} {
		for name, encrypt := range encrypters {
			offered, config.NextProtos = nil, slices.Clone(c.set)
			if assert.NoError(t, encrypt(config, func() {})(s.URL), "%s, %q", name, c.set) {
				assert.Equal(t, [][]string{c.want}, offered, "%s, %q", name, c.set)
			}
			assert.Equal(t, c.set, config.NextProtos)
		}
	}
}

// A connection that was made elsewhere for HTTP/2 is no fault of the origin's.
func TestAConnectionThatWasMadeForHTTP2IsNoVerdict(t *testing.T) {
	s, config := secured(t, &tls.Config{NextProtos: []string{"h2"}}, func(http.ResponseWriter, *http.Request) {})
	config.NextProtos = []string{"h2"}
	tr, seen := transport(t)
	tr.DialTLSContext = (&tls.Dialer{Config: config}).DialContext
	_, _, err := do(tr, "GET", s.URL, nil)
	var local *validator.LocalError
	assert.ErrorAs(t, err, &local)
	assert.Empty(t, seen.list())
}

// Where TLS was to be made elsewhere, what the origin did wrong in it is its
// fault all the same, be the handshake made there or here.
func TestAHandshakeThatFailsElsewhereHasItsReason(t *testing.T) {
	for _, name := range []string{
		"tls-certificate-untrusted", "tls-certificate-expired", "tls-certificate-name-mismatch", "tls-alert-received",
		"tls-alpn-mismatch", "tls-version-or-cipher-mismatch/alert-40", "tls-peer-speaks-plaintext",
	} {
		t.Run(name, func(t *testing.T) {
			o := origintest.Start(t, name)
			config := o.Prober().TLS.Clone()
			config.ServerName = o.Target().SNI
			for made, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
				"there": (&tls.Dialer{Config: config}).DialContext,
				"here": func(ctx context.Context, network, address string) (net.Conn, error) {
					c, err := new(net.Dialer).DialContext(ctx, network, address)
					if err != nil {
						return nil, err
					}
					return tls.Client(c, config), nil
				},
			} {
				tr, seen := transport(t)
				tr.DialTLSContext = dial
				_, _, err := do(tr, "GET", o.URL(), nil)
				assert.ErrorIs(t, err, o.Fault.Reason, made)
				if assert.Len(t, seen.list(), 1, made) {
					e, _ := seen.last(t)
					assert.Equal(t, validator.PhaseTLS, e.Phase, made)
				}
			}
		})
	}
}
