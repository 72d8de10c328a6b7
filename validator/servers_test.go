package validator_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// A server is a kind of server. On a port of plaintext and on one of TLS, each
// serves /file of 12 bytes, 404 for /missing, and /chunked in chunks to who
// takes gzip.
type server struct {
	name    string
	command string // to look for; empty: it is in this process
	run     func(t *testing.T, r *running, command string)

	uploadStatus, rangeStatus int
	tlsAskedInPlaintext       mismatch
}

var servers = []server{
	{
		name: "nginx", command: "nginx", run: runNginx, uploadStatus: 404, rangeStatus: 206,
		tlsAskedInPlaintext: mismatch{wire.OK, 400},
	},
	{
		name: "Apache", command: "apache2", run: runApache, uploadStatus: 404, rangeStatus: 206,
		tlsAskedInPlaintext: mismatch{wire.OK, 400},
	},
	{
		name: "Node", command: "node", run: runNode, uploadStatus: 200, rangeStatus: 200,
		tlsAskedInPlaintext: mismatch{wire.ClosedWithoutAByte, 0},
	},
	{
		name: "Go", run: runGo, uploadStatus: 200, rangeStatus: 206,
		tlsAskedInPlaintext: mismatch{wire.NoHeaderFields, 400}, // its answer is a status line and text
	},
}

// running is a server that runs until the test ends.
type running struct {
	dir                string // its own; it holds cert.pem, key.pem and www/file
	plain, tls         string // addresses
	certificate        tls.Certificate
	prober             *validator.Prober // trusts it
	output             bytes.Buffer      // of its process, valid once that has ended
	plainPort, tlsPort string
}

func (r *running) url(scheme, path string) string {
	return scheme + "://" + map[string]string{"http": r.plain, "https": r.tls}[scheme] + path
}

// start starts a server, or skips the test where it is not installed.
func start(t *testing.T, kind server) *running {
	t.Helper()
	command, err := "", error(nil)
	if kind.command != "" {
		if command, err = exec.LookPath(kind.command); err != nil {
			missing(t, kind.command+" is not installed")
		}
	}
	r := &running{dir: t.TempDir()}
	require.NoError(t, os.Chmod(r.dir, 0o755)) // workers have another user
	certify(t, r)
	www := filepath.Join(r.dir, "www")
	require.NoError(t, os.MkdirAll(www, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(www, "file"), []byte("hello, 520!\n"), 0o644))
	long := make([]byte, 256<<10) // compressed, it is still more than a server holds back
	_, err = rand.Read(long)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(www, "chunked"), long, 0o644))
	kind.run(t, r, command)
	return r
}

// missing skips the test for want of what the machine has not, save where all
// must run.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("WHY520_CI") != "" {
		t.Fatalf("%s, and WHY520_CI is set", what)
	}
	t.Skipf("%s: skipped", what)
}

// certify makes a certificate that only r.prober trusts.
func certify(t *testing.T, r *running) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "why520 test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certificatePEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "cert.pem"), certificatePEM, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "key.pem"), keyPEM, 0o600))
	r.certificate, err = tls.X509KeyPair(certificatePEM, keyPEM)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(certificatePEM))
	r.prober = &validator.Prober{TLS: &tls.Config{RootCAs: pool}}
}

// freePorts gives two ports that nobody listens on. They lie below those that
// kernels give to connections and to ":0", and below those that the tests of the
// command listen on, so that nobody takes one before the server does.
func (r *running) freePorts(t *testing.T) {
	t.Helper()
	for _, p := range []struct{ address, port *string }{{&r.plain, &r.plainPort}, {&r.tls, &r.tlsPort}} {
		for tries := 0; ; tries++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10000+mathrand.IntN(10000)))
			if err != nil && tries < 100 {
				continue
			}
			require.NoError(t, err)
			defer l.Close()
			*p.address = l.Addr().String()
			_, *p.port, err = net.SplitHostPort(*p.address)
			require.NoError(t, err)
			break
		}
	}
}

// process runs command with r's place in its arguments and waits until it
// listens; it ends with the test.
func (r *running) process(t *testing.T, command string, arguments ...string) {
	t.Helper()
	for i := range arguments {
		arguments[i] = r.fill(arguments[i])
	}
	c := exec.Command(command, arguments...)
	c.Dir, c.Stdout, c.Stderr = r.dir, &r.output, &r.output
	require.NoError(t, c.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // it is killed: how it ended says nothing
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-ended
	})
	for _, address := range []string{r.plain, r.tls} {
		r.listens(t, address, ended)
	}
}

// listens waits until somebody accepts at address.
func (r *running) listens(t *testing.T, address string, ended <-chan struct{}) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	late := time.After(time.Minute)
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			itself := c.LocalAddr().String() == address // its own port was the one it dialled
			c.Close()
			if !itself {
				return
			}
		}
		select {
		case <-again.C:
		case <-ended:
			require.FailNow(t, "the server ended", r.output.String())
		case <-late:
			require.FailNow(t, "the server does not listen")
		}
	}
}

// fill puts r's folder and ports into a text.
func (r *running) fill(s string) string {
	return strings.NewReplacer("DIR", r.dir, "PLAINPORT", r.plainPort, "TLSPORT", r.tlsPort).Replace(s)
}

// config writes text as the server's configuration.
func (r *running) config(t *testing.T, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "server.conf"), []byte(r.fill(text)), 0o644))
}
