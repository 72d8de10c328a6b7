package why520_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/origintest"
)

// proxied gives a reverse_proxy with options of its own and of the transport.
func proxied(upstreams, options, transport string) string {
	return fmt.Sprintf("\treverse_proxy %s {\n%s\n\t\ttransport why520 {\n%s\n\t\t}\n\t}\n", upstreams, options, transport)
}

// address gives where a server listens.
func address(s *httptest.Server) string { return s.Listener.Addr().String() }

func TestTheTransportAloneMakesCaddyAnswer502Or504(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		status  int
		reason  string
		options string
	}{
		"first-byte-timeout":  {504, "first-byte-timeout", "first_byte_timeout 400ms"},
		"connection-timeout":  {504, "connection-timeout", "dial_timeout 400ms"},
		"head-stalled":        {504, "head-stalled", "read_timeout 400ms"},
		"bare-cr":             {502, "bare-cr", ""},
		"connection-refused":  {502, "connection-refused", ""},
		"reset-after-request": {502, "reset-", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := origintest.Start(t, name)
			p := start(t, "", proxied(o.Addr(), "", want.options))
			resp, _ := p.get(t, "/")
			assert.Equal(t, want.status, resp.StatusCode)
			record := p.record(t, "the upstream failed", want.reason)
			assert.Equal(t, "http.reverse_proxy.transport.why520", record["logger"])
			assert.Equal(t, "warn", record["level"])
			assert.NotEmpty(t, record["id"])
			assert.Equal(t, o.Addr(), record["upstream"])
		})
	}
}

// What is tolerated by name is tolerated besides what the policy does.
func TestWhatIsToleratedAddsToThePolicy(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]map[string]int{
		"tolerate bare-lf":                {"bare-lf": 200, "field-obs-fold": 200},
		"policy strict":                   {"bare-lf": 502, "field-obs-fold": 502},
		"policy strict\ntolerate bare-lf": {"bare-lf": 200, "field-obs-fold": 502},
	} {
		for name, status := range want {
			t.Run(options+", "+name, func(t *testing.T) {
				t.Parallel()
				p := start(t, "", proxied(origintest.Start(t, name).Addr(), "", options))
				resp, _ := p.get(t, "/")
				assert.Equal(t, status, resp.StatusCode)
			})
		}
	}
}

// A good server that counts.
func counting(t *testing.T) (s *httptest.Server, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		content, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, "%s %d", r.Method, len(content))
	}))
	t.Cleanup(s.Close)
	return s, asked
}

// inTurn has the second upstream asked where the first failed.
const inTurn = "lb_policy first\nlb_retries 1\nfail_duration 1m"

func TestAnUpstreamThatCannotBeReachedIsSkippedByEveryMethod(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"connection-refused", "connection-timeout"} {
		for _, method := range []string{"GET", "POST", "PUT"} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				bad := origintest.Start(t, name)
				good, asked := counting(t)
				p := start(t, "", proxied(bad.Addr()+" "+address(good), inTurn, "dial_timeout 3s"))
				resp, content, err := p.do(t, p.request(t, method, "/", io.LimitReader(zeros{}, 100_000)))
				require.NoError(t, err)
				assert.Equal(t, 200, resp.StatusCode)
				assert.Equal(t, method+" 100000", content)
				assert.EqualValues(t, 1, asked.Load())
				p.record(t, "the upstream failed", name)
			})
		}
	}
}

// No upstream got anything of the request while TLS failed.
func TestAnUpstreamWhoseTLSFailsIsSkippedByEveryMethod(t *testing.T) {
	t.Parallel()
	bad := origintest.Start(t, "tls-alert-received")
	good := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Method)
	}))
	t.Cleanup(good.Close)
	p := start(t, "", proxied(bad.Addr()+" "+address(good), inTurn, "tls\ntls_insecure_skip_verify"))
	resp, content, err := p.do(t, p.request(t, "POST", "/", strings.NewReader("x")))
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "POST", content)
	p.record(t, "the upstream failed", "tls-alert-received")
}

func TestWhatWasWrittenIsNotPostedTwice(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"reset-after-request", "closed-without-a-byte", "bare-cr", "first-byte-timeout"} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				bad := origintest.Start(t, name)
				good, asked := counting(t)
				p := start(t, "", proxied(bad.Addr()+" "+address(good), inTurn, "policy strict\nfirst_byte_timeout 3s"))
				var sent io.Reader
				if method == "POST" {
					sent = strings.NewReader("once")
				}
				resp, content, err := p.do(t, p.request(t, method, "/", sent))
				require.NoError(t, err)
				if method == "POST" {
					assert.GreaterOrEqual(t, resp.StatusCode, 502)
					assert.Zero(t, asked.Load())
					return
				}
				assert.Equal(t, "GET 0", content, "GET may be sent again")
			})
		}
	}
}

// Upgraded, it says back what it is told.
func echo(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		rw.Flush()
		io.Copy(c, rw)
	}))
	t.Cleanup(s.Close)
	return address(s)
}

func TestWebSocketsPass(t *testing.T) {
	t.Parallel()
	p := start(t, "", "\twhy520\n"+proxied(echo(t), "", "policy strict\nhold_content 64KiB"))
	c, err := net.Dial("tcp", p.site)
	require.NoError(t, err)
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", p.site)
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	for _, said := range []string{"hello", "again"} {
		_, err := io.WriteString(c, said)
		require.NoError(t, err)
		heard := make([]byte, len(said))
		_, err = io.ReadFull(in, heard)
		require.NoError(t, err)
		assert.Equal(t, said, string(heard))
	}
}

func TestOverHTTP2ContentThatFailsIsCut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"chunked-cut", "body-short", "chunk-size-invalid", "ok/chunked", "bare-cr"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := origintest.Start(t, name)
			p := start(t, "\tservers {\n\t\tprotocols h1 h2c\n\t}", "\twhy520\n"+proxied(o.Addr(), "", "policy strict"))
			var protocols http.Protocols
			protocols.SetUnencryptedHTTP2(true)
			transport := &http.Transport{Protocols: &protocols}
			defer transport.CloseIdleConnections()
			p.client = &http.Client{Transport: transport}
			resp, content, err := p.do(t, p.request(t, "GET", "/", nil))
			if resp != nil {
				assert.Equal(t, 2, resp.ProtoMajor)
			}
			switch name {
			case "ok/chunked":
				require.NoError(t, err)
				assert.Equal(t, "hello", content)
			case "bare-cr":
				require.NoError(t, err)
				assert.Equal(t, 520, resp.StatusCode)
			default:
				assert.Error(t, err, "%q passes for whole", content)
			}
		})
	}
}

// asOld asks in HTTP/1.0, and gives all that comes, and how it ended.
func asOld(t *testing.T, p *process) (string, error) {
	t.Helper()
	c, err := net.Dial("tcp", p.site)
	require.NoError(t, err)
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", p.site)
	content, err := io.ReadAll(c)
	return string(content), err
}

func TestOverHTTP10ContentThatFailsEndsInAReset(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"", "\tservers {\n\t\tprotocols h1\n\t}"} { // which decides of what Caddy's connections are made
		bad, good := origintest.Start(t, "chunked-cut"), origintest.Start(t, "ok/chunked")
		got, err := asOld(t, start(t, options, "\twhy520\n"+proxied(bad.Addr(), "", "policy strict")))
		assert.Error(t, err, "%q passes for whole", got)
		got, err = asOld(t, start(t, options, "\twhy520\n"+proxied(good.Addr(), "", "policy strict")))
		assert.NoError(t, err)
		assert.True(t, strings.HasSuffix(got, "\r\n\r\nhello"), "%q", got)
	}
}

func TestAClientThatLeftIs499(t *testing.T) {
	t.Parallel()
	asked, end := make(chan bool), make(chan bool)
	origin := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- true; <-end }))
	defer origin.Close()
	defer close(end)
	p := start(t, "", "\twhy520\n"+proxied(address(origin), "", ""))
	c, err := net.Dial("tcp", p.site)
	require.NoError(t, err)
	fmt.Fprintf(c, "GET /left HTTP/1.1\r\nHost: %s\r\n\r\n", p.site)
	<-asked
	require.NoError(t, c.Close())
	record := p.record(t, "http.log.access", "/left")
	assert.EqualValues(t, 499, record["status"])
}

func TestAReloadLosesNoRequest(t *testing.T) {
	t.Parallel()
	asked, end := make(chan bool), make(chan bool)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			fmt.Fprint(w, "begun, ")
			http.NewResponseController(w).Flush()
			asked <- true
			<-end
		}
		fmt.Fprint(w, "done")
	}))
	defer origin.Close()
	site := func(name string) string {
		return "\theader X-Config " + name + "\n\twhy520\n" + proxied(address(origin), "", "policy strict\nrecorder")
	}
	p := start(t, "", site("old"))
	type answer struct {
		resp    *http.Response
		content string
		err     error
	}
	answered := make(chan answer)
	go func() {
		resp, content, err := p.do(t, p.request(t, "GET", "/slow", nil))
		answered <- answer{resp, content, err}
	}()
	<-asked
	p.configure(t, "", site("new"))
	reloaded := make(chan bool)
	go func() { p.reload(t); close(reloaded) }()
	for config := ""; config != "new"; {
		resp, content := p.get(t, "/")
		require.Equal(t, "done", content)
		config = resp.Header.Get("X-Config")
	}
	close(end)
	a := <-answered
	require.NoError(t, a.err)
	assert.Equal(t, "old", a.resp.Header.Get("X-Config"))
	assert.Equal(t, "begun, done", a.content)
	<-reloaded
}

func TestInterimResponsesAndTrailersPass(t *testing.T) {
	t.Parallel()
	interim, trailers := origintest.Start(t, "ok/interim"), origintest.Start(t, "ok/chunked")
	p := start(t, "", "\twhy520\n\thandle /interim {\n"+proxied(interim.Addr(), "", "hold_content 1KiB")+"}\n\thandle {\n"+proxied(trailers.Addr(), "", "")+"}\n")
	var codes []int
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { codes = append(codes, code); return nil }}
	r := p.request(t, "GET", "/interim", nil)
	_, content, err := p.do(t, r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	require.NoError(t, err)
	assert.Equal(t, "hello", content)
	assert.Contains(t, codes, 103)
	resp, content := p.get(t, "/")
	assert.Equal(t, "hello", content)
	assert.Equal(t, http.Header{"Digest": {"none"}}, resp.Trailer)
}

func TestHealthIsAskedForThroughTheTransport(t *testing.T) {
	t.Parallel()
	bad := origintest.Start(t, "bare-cr")
	good := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))
	t.Cleanup(good.Close)
	p := start(t, "", "\thandle /tls {\n"+proxied(address(good), "health_uri /alive\nhealth_body /alive", "tls_insecure_skip_verify")+"}\n\thandle {\n"+proxied(bad.Addr(), "health_uri /alive", "")+"}\n")
	p.record(t, "health_checker.active", "bare-cr")
	resp, content := p.get(t, "/tls")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "/tls", content)
	require.Eventually(t, func() bool { // the log is told first
		resp, err := p.client.Get("http://" + p.site + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == 503
	}, time.Minute, 10*time.Millisecond, "it is not healthy")
}
