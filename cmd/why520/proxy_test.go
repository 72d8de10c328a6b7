package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
)

// A running is a proxy that serves in this process.
type running struct {
	*proxyServer
	out, errors *lines
	changed     chan os.Signal
	stop        func() error // ends it in order, once
}

// url gives the URL of a path at the proxy.
func (p *running) url(path string) string { return "http://" + p.clients.Addr().String() + path }

// lines are what is written, by line.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// all waits until there are n lines and gives them as objects.
func (l *lines) all(t *testing.T, n int) []map[string]any {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Count(l.String(), "\n") >= n }, time.Minute, time.Millisecond, "%d lines of the log", n)
	all := verdicts(t, l.String())
	require.Len(t, all, n)
	return all
}

// startProxy starts one with these flags, on a free port.
func startProxy(t *testing.T, tune func(*originConfig, *validator.Transport), args ...string) *running {
	t.Helper()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	var file string
	flags.StringVar(&file, "config", "", "")
	defaultProxyConfig().flags(flags, new(originConfig))
	require.NoError(t, flags.Parse(append([]string{"--listen", "127.0.0.1:0"}, args...)))
	load := func() (*proxyConfig, error) { return loadProxyConfig(file, flags) }
	c, err := load()
	require.NoError(t, err)
	p := &running{out: new(lines), errors: new(lines), changed: make(chan os.Signal)}
	p.proxyServer, err = newProxyServer(c, p.out, p.errors)
	require.NoError(t, err)
	p.load, p.tune = load, tune
	ctx, interrupt := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.serve(ctx, c, p.changed) }()
	p.stop = sync.OnceValue(func() error {
		interrupt()
		return <-ended
	})
	t.Cleanup(func() { assert.NoError(t, p.stop()) })
	return p
}

// reloads has the configuration loaded again, and waits for that.
func (p *running) reloads(t *testing.T, result string) {
	t.Helper()
	before := p.metric("why520_config_reloads_total", "result="+result)
	p.changed <- os.Interrupt
	require.Eventually(t, func() bool { return p.metric("why520_config_reloads_total", "result="+result) > before }, time.Minute, time.Millisecond)
}

// certificate makes the files of a certificate for the loopback address, and what
// trusts it.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: serial, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	roots = x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(text))
	return file(t, "cert.pem", string(text)), file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))), roots
}

// client gives one for a test, over HTTP/2 where roots are given.
func client(t *testing.T, roots *x509.CertPool) *http.Client {
	c := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	if roots != nil {
		c = secondClient(roots)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// secondClient speaks HTTP/2.
func secondClient(roots *x509.CertPool) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

// jsonLog is the log of exchanges, as the command writes it.
func jsonLog(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

// totals gives how many requests and how many verdicts the metrics have.
func (p *running) totals(t *testing.T) (requests, verdicts float64) {
	t.Helper()
	return p.metric("why520_requests_total", ""), p.metric("why520_verdicts_total", "")
}

// metric gives the sum of a counter, or a gauge: of those with that label, written
// name=value, or of all where it is empty.
func (p *running) metric(name, label string) (sum float64) {
	families, err := p.metrics.registry.Gather()
	if err != nil {
		return -1
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.Metric {
			has := label == ""
			for _, l := range m.Label {
				has = has || l.GetName()+"="+l.GetValue() == label
			}
			if has {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// get gives status and content.
func get(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	response, err := c.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(content)
}

// origin starts a server for h that is closed at the end of the test, and gives
// its URL.
func originOf(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{Handler: h}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String()
}

// asJSON reads an object.
func asJSON(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}
