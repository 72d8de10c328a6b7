package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/origintest"
)

// verdicts reads what --json printed.
func verdicts(t *testing.T, out string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(out) {
		var v map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &v), line)
		all = append(all, v)
	}
	return all
}

// TestFlagsOfTheRequest asks a server what came.
func TestFlagsOfTheRequest(t *testing.T) {
	var (
		lock sync.Mutex
		got  *http.Request
		body string
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		content, _ := io.ReadAll(q.Body)
		lock.Lock()
		defer lock.Unlock()
		got, body = q, string(content)
		w.WriteHeader(http.StatusOK)
	}))
	defer server.Close()
	data := file(t, "data", "from a file")
	har := file(t, "a.har", `{"log": {"entries": [{"request": {"method": "GET", "url": "http://one.example/"}},
		{"request": {"method": "POST", "url": "`+server.URL+`/two?x=1", "headers": [
			{"name": ":authority", "value": "two.example"}, {"name": "Host", "value": "two.example"}, {"name": "Content-Length", "value": "9"},
			{"name": "X-Seen", "value": "yes"}], "postData": {"text": "posted"}}}]}}`)
	for _, c := range []struct {
		args []string
		want func() []any // pairs: expected, seen
	}{
		{nil, func() []any {
			return []any{"GET", got.Method, "why520", got.UserAgent(), strings.TrimPrefix(server.URL, "http://"), got.Host, "", body}
		}},
		{[]string{"--host", "www.example.com"}, func() []any { return []any{"www.example.com", got.Host} }},
		{[]string{"-X", "OPTIONS"}, func() []any { return []any{"OPTIONS", got.Method} }},
		{[]string{"--user-agent", "Mozilla/5.0"}, func() []any { return []any{"Mozilla/5.0", got.UserAgent()} }},
		{[]string{"-H", "X-One: 1", "-H", "X-Two: a, b"}, func() []any {
			return []any{"1", got.Header.Get("X-One"), "a, b", got.Header.Get("X-Two")}
		}},
		{[]string{"-H", "Host: other.example"}, func() []any { return []any{"other.example", got.Host} }},
		{[]string{"--data", "a=b"}, func() []any { return []any{"POST", got.Method, "a=b", body, int64(3), got.ContentLength} }},
		{[]string{"--data", "@" + data, "-X", "PUT"}, func() []any { return []any{"PUT", got.Method, "from a file", body} }},
		{[]string{"--upload", "70KiB"}, func() []any { return []any{"POST", got.Method, 70 << 10, len(body)} }},
		{[]string{"--request", har + "#1"}, func() []any {
			return []any{"POST", got.Method, "/two?x=1", got.RequestURI, "two.example", got.Host, "yes", got.Header.Get("X-Seen"), "posted", body}
		}},
	} {
		args := append([]string{"check"}, c.args...)
		if !strings.HasPrefix(strings.Join(c.args, " "), "--request ") {
			args = append(args, server.URL)
		}
		r := why520(t, args...)
		require.Zero(t, r.code, "%q: %s%s", c.args, r.out, r.log)
		lock.Lock()
		pairs := c.want()
		lock.Unlock()
		for i := 0; i < len(pairs); i += 2 {
			assert.Equal(t, pairs[i], pairs[i+1], "%q", c.args)
		}
	}
	r := why520(t, "check", "--request", har+"#2")
	assert.Equal(t, exitUsage, r.code, r.log)
}

func TestUpgrade(t *testing.T) {
	o := origintest.Start(t, "ok/upgrade")
	r := why520(t, "check", "--json", "--upgrade", "websocket", o.URL())
	assert.Zero(t, r.code, r.out)
	assert.Equal(t, "tunnel", verdicts(t, r.out)[0]["body"].(map[string]any)["framing"])
	r = why520(t, "check", "--json", o.URL())
	assert.Equal(t, "unasked-101", verdicts(t, r.out)[0]["reason"])
}

// first gives the first line that a client sends to address, and answers.
func first(t *testing.T) (address string, line func() string, from func() net.Addr) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	type came struct {
		line string
		from net.Addr
	}
	lines := make(chan came, 1)
	go func() {
		defer close(lines)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b := bufio.NewReader(c)
		text, _ := b.ReadString('\n')
		if strings.HasPrefix(text, "\r\n") { // version 2 begins with an empty line, and has 28 bytes over IPv4
			rest := make([]byte, 26)
			_, _ = io.ReadFull(b, rest)
			text += string(rest)
		}
		lines <- came{text, c.RemoteAddr()}
		for text != "\r\n" && err == nil {
			text, err = b.ReadString('\n')
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}()
	var got came
	return l.Addr().String(), func() string { got = <-lines; return got.line }, func() net.Addr { return got.from }
}

func TestProxyProtocol(t *testing.T) {
	address, line, from := first(t)
	r := why520(t, "check", "--proxy-protocol", "v1", "http://"+address+"/")
	require.Zero(t, r.code, r.out)
	text := line()
	client := from().(*net.TCPAddr).AddrPort()
	_, port, _ := strings.Cut(address, ":")
	assert.Equal(t, fmt.Sprintf("PROXY TCP4 127.0.0.1 127.0.0.1 %d %s\r\n", client.Port(), port), text)

	address, line, _ = first(t)
	r = why520(t, "check", "--proxy-protocol", "v2", "http://"+address+"/")
	require.Zero(t, r.code, r.out)
	assert.Equal(t, "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01", line()[:24])
}

func TestSourceAddress(t *testing.T) {
	address, line, from := first(t)
	r := why520(t, "check", "--source", "127.0.0.9", "http://"+address+"/")
	if r.code == exitNotAsk {
		t.Skipf("this system dials from no other loopback address: %s", r.log)
	}
	require.Zero(t, r.code, r.out)
	assert.True(t, strings.HasPrefix(line(), "GET / "))
	assert.Equal(t, "127.0.0.9", from().(*net.TCPAddr).IP.String())
}

func TestNameServerAndAddresses(t *testing.T) {
	names := origintest.StartNameServer(t)
	o := origintest.Start(t, "ok")
	_, port, _ := strings.Cut(o.Addr(), ":")
	r := why520(t, "check", "--json", "--dns", names.Addr(), "http://origin.test:"+port+"/")
	require.Zero(t, r.code, r.out, r.log)
	assert.Equal(t, o.Addr(), verdicts(t, r.out)[0]["address"])

	r = why520(t, "check", "--json", "--dns", names.Addr(), "http://missing.test:"+port+"/")
	assert.Equal(t, "dns-failure", verdicts(t, r.out)[0]["reason"])
	assert.Equal(t, exitNotOK, r.code)

	for flag, want := range map[string][]string{
		"all": {"127.0.0.1:" + port, "[::1]:" + port}, "4": {"127.0.0.1:" + port}, "6": {"[::1]:" + port},
	} {
		r = why520(t, "check", "--json", "--dns", names.Addr(), "--address", flag, "--connect-timeout", "2s", "http://both.test:"+port+"/")
		if strings.Contains(r.log, "::1") {
			t.Logf("no IPv6 here: %s", r.log)
			continue
		}
		var dialled []string
		for _, v := range verdicts(t, r.out) {
			dialled = append(dialled, v["address"].(string))
		}
		assert.ElementsMatch(t, want, dialled, "--address %s", flag)
	}
}

func TestCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Seen", q.TLS.ServerName)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	own := server.TLS.Certificates[0]
	cert := file(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]})))
	bytes, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	require.NoError(t, err)
	key := file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes})))

	reason := func(args ...string) any {
		r := why520(t, append([]string{"check", "--json", server.URL}, args...)...)
		require.NotEmpty(t, r.out, r.log)
		return verdicts(t, r.out)[0]["reason"]
	}
	assert.Equal(t, "tls-certificate-untrusted", reason())
	assert.Equal(t, "tls-client-certificate-required", reason("--ca", cert))
	assert.Equal(t, "ok", reason("--ca", cert, "--cert", cert, "--key", key))
	assert.Equal(t, "ok", reason("--ca", cert, "--cert", cert, "--key", key, "--sni", "www.example.com"))
	assert.Equal(t, "tls-certificate-name-mismatch", reason("--ca", cert, "--cert", cert, "--key", key, "--sni", "other.test"))
	assert.Equal(t, "ok", reason("--insecure", "--cert", cert, "--key", key))
}

// Every deadline ends the wait that it is for.
func TestDeadlines(t *testing.T) {
	const some = "3s" // where something has to come before it is over
	for _, c := range []struct{ origin, flag, limit, reason string }{
		{"connection-timeout", "--connect-timeout", "400ms", "connection-timeout"},
		{"tls-handshake-timeout", "--tls-timeout", "400ms", "tls-handshake-timeout"},
		{"first-byte-timeout", "--first-byte-timeout", "400ms", "first-byte-timeout"},
		{"head-deadline", "--head-timeout", some, "head-deadline"},
		{"head-stalled", "--idle-timeout", "400ms", "head-stalled"},
		{"body-stalled", "--idle-timeout", "400ms", "body-stalled"},
		{"body-deadline", "--timeout", some, "body-deadline"},
		{"first-byte-timeout", "--timeout", some, "first-byte-timeout"},
	} {
		t.Run(c.origin+" "+c.flag, func(t *testing.T) {
			t.Parallel()
			o := origintest.Start(t, c.origin)
			r := why520(t, "check", "--json", "--insecure", c.flag, c.limit, o.URL())
			assert.Equal(t, exitNotOK, r.code)
			assert.Equal(t, c.reason, verdicts(t, r.out)[0]["reason"], r.out)
		})
	}
	t.Run("--write-timeout", func(t *testing.T) {
		t.Parallel()
		o := origintest.Start(t, "request-write-timeout")
		r := why520(t, "check", "--json", "--write-timeout", "800ms", "--upload", "64MiB", o.URL())
		assert.Equal(t, "request-write-timeout", verdicts(t, r.out)[0]["reason"], r.out)
	})
}

func TestContentFlags(t *testing.T) {
	o := origintest.Start(t, "content-coding-corrupt")
	r := why520(t, "check", "--json", "--decode", "-H", "Accept-Encoding: gzip", o.URL())
	assert.Equal(t, "content-coding-corrupt", verdicts(t, r.out)[0]["reason"])
	r = why520(t, "check", "--json", o.URL())
	assert.Equal(t, "ok", verdicts(t, r.out)[0]["reason"])

	o = origintest.Start(t, "body-too-large")
	r = why520(t, "check", "--json", "--max-body", "1KiB", o.URL())
	assert.Equal(t, "body-too-large", verdicts(t, r.out)[0]["reason"])
	r = why520(t, "check", "--json", o.URL())
	assert.Equal(t, "ok", verdicts(t, r.out)[0]["reason"])
}

func TestRequestsOnOneConnection(t *testing.T) {
	o := origintest.Start(t, "ok")
	r := why520(t, "check", "--json", "--requests", "3", "--idle", "1ms", o.URL())
	require.Zero(t, r.code, r.out)
	all := verdicts(t, r.out)
	require.Len(t, all, 3)
	assert.Equal(t, []any{false, true, true}, []any{all[0]["reused"], all[1]["reused"], all[2]["reused"]})
}

// Evidence that was stored is judged to the same verdict, and under other rules
// to another.
func TestStoredEvidenceIsJudgedAgain(t *testing.T) {
	stored := t.TempDir() + "/evidence.jsonl"
	bare, large := origintest.Start(t, "bare-lf"), origintest.Start(t, "head-too-large")
	asked := why520(t, "check", "--json", "--evidence", stored, bare.URL(), large.URL())
	require.Equal(t, exitNotOK, asked.code, asked.log)
	judged := why520(t, "judge", "--json", stored)
	assert.Equal(t, asked, judged)

	judged = why520(t, "judge", "--json", "--tolerate", "bare-lf", stored)
	assert.Equal(t, exitNotOK, judged.code)
	all := verdicts(t, judged.out)
	require.Len(t, all, 2)
	assert.Equal(t, "ok", all[0]["reason"])
	assert.NotEmpty(t, all[0]["notes"], "what was tolerated is noted")
	assert.Equal(t, "head-too-large", all[1]["reason"])

	judged = why520(t, "judge", "--json", "--budget", "20", stored)
	assert.Equal(t, "head-too-large", verdicts(t, judged.out)[1]["reason"])
	judged = why520(t, "judge", "--json", "--budget", "1MiB", stored)
	assert.Equal(t, exitNotAsk, judged.code, "what was not kept cannot be judged")
	assert.Contains(t, judged.log, "too few")
}

func TestExitStatusOfCurl(t *testing.T) {
	for origin, code := range map[string]int{"ok": 0, "closed-without-a-byte": 52, "connection-refused": 7, "body-short": 18, "reset-after-request": 56} {
		r := why520(t, "check", "--exit-code=curl", origintest.Start(t, origin).URL())
		assert.Equal(t, code, r.code, "%s: %s", origin, r.out)
	}
}

// --why finds the field that makes the origin fail.
func TestWhy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("X-Bad") != "" {
			panic(http.ErrAbortHandler)
		}
	}))
	server.Listener.Close()
	server.Listener = l
	server.Start()
	defer server.Close()
	r := why520(t, "check", "--why", "-H", "X-Good: 1", "-H", "X-Bad: 1", "-X", "PATCH", "--data", "x", server.URL)
	assert.Equal(t, exitNotOK, r.code)
	_, smallest, found := strings.Cut(r.out, "The smallest request")
	require.True(t, found, r.out)
	assert.Contains(t, smallest, "X-Bad")
	assert.NotContains(t, smallest, "X-Good")
	assert.NotContains(t, smallest, "PATCH")
	assert.Equal(t, exitOK, why520(t, "check", "--why", "-H", "X-Good: 1", server.URL).code)
}

func TestOutputThatCannotBeWritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no full device here: %v", err)
	}
	defer full.Close()
	var log strings.Builder
	code := run(t.Context(), []string{"explain"}, strings.NewReader(""), full, &log)
	assert.Equal(t, exitNotAsk, code)
	assert.Contains(t, log.String(), "writing the result")
}
