package origintest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// An authority signs the certificates of origins. It is made anew in every
// process and trusted by nobody but Origin.Prober.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
}

// AuthorityPEM gives the certificate of who signed the origins', for a client that
// is another process and takes a file.
func AuthorityPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: theAuthority().certificate.Raw})
}

var theAuthority = sync.OnceValue(func() *authority { return newAuthority("why520 origintest") })

// newAuthority panics only where the system has no random numbers.
func newAuthority(name string) *authority {
	a := &authority{pool: x509.NewCertPool()}
	a.key = newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.certificate = sign(template, template, a.key, a.key)
	a.pool.AddCert(a.certificate)
	return a
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(fmt.Sprintf("origintest: making a key: %v", err))
	}
	return key
}

func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		panic(fmt.Sprintf("origintest: signing a certificate: %v", err))
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(fmt.Sprintf("origintest: reading a certificate: %v", err))
	}
	return c
}

// leaf gives a certificate for name and the loopback addresses, valid until
// then.
func (a *authority) leaf(name string, until time.Time) tls.Certificate {
	key := newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if name == goodName {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	}
	c := sign(template, a.certificate, key, a.key)
	return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key, Leaf: c}
}

const goodName = "origin.test"

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

// The configurations of the origins that speak TLS.

func goodTLS(a *authority) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaf(goodName, tomorrow())}, NextProtos: []string{"http/1.1"}}
}

func expired(a *authority) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaf(goodName, time.Now().Add(-time.Hour))}}
}

func wrongName(a *authority) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaf("other.test", tomorrow())}}
}

func untrusted(*authority) *tls.Config { return goodTLS(newAuthority("nobody's authority")) }

func oldTLS(a *authority) *tls.Config {
	c := goodTLS(a)
	c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	return c
}

// wantsCertificate demands a client certificate, in that version of TLS.
func wantsCertificate(version uint16) func(*authority) *tls.Config {
	return func(a *authority) *tls.Config {
		c := goodTLS(a)
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.pool
		c.MinVersion, c.MaxVersion = version, version
		return c
	}
}
