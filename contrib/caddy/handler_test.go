package why520_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/contrib/boltstore"
	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

const asBrowser = "text/html,application/xhtml+xml,*/*;q=0.8"

func TestThePageIsInTheFormThatIsAskedFor(t *testing.T) {
	t.Parallel()
	o := origintest.Start(t, "bare-cr")
	p := start(t, "", "\twhy520 {\n\t\tname edge7\n\t\tcontact ops@example.com\n\t}\n"+proxied(o.Addr(), "", ""))
	for accept, kind := range map[string]string{asBrowser: "text/html", "application/json": "application/problem+json", "*/*": "text/plain"} {
		resp, content := p.get(t, "/", "Accept", accept)
		assert.Equal(t, 520, resp.StatusCode)
		assert.True(t, strings.HasPrefix(resp.Header.Get("Content-Type"), kind), "%q for %s", resp.Header.Get("Content-Type"), accept)
		assert.Contains(t, content, "ops@example.com")
		assert.Contains(t, content, "bare-cr")
		assert.NotContains(t, content, o.Addr())
		assert.True(t, strings.HasPrefix(resp.Header.Get("Proxy-Status"), "edge7; error=http_protocol_error"), resp.Header.Get("Proxy-Status"))
		assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	}
}

func TestGatewayStatusesAndDetails(t *testing.T) {
	t.Parallel()
	o := origintest.Start(t, "bare-cr")
	p := start(t, "", "\twhy520 {\n\t\tgateway\n\t\tdetails 192.0.2.0/24 private_ranges\n\t}\n"+proxied(o.Addr(), "", ""))
	resp, content := p.get(t, "/")
	assert.Equal(t, 502, resp.StatusCode)
	assert.Contains(t, content, o.Addr())
}

func TestInHandleErrorsItAnswersToo(t *testing.T) {
	t.Parallel()
	o := origintest.Start(t, "bare-cr")
	p := start(t, "", proxied(o.Addr(), "", "")+`
	handle /missing {
		error 404
	}
	handle_errors {
		why520
		respond "{err.status_code} of Caddy"
	}`)
	resp, content := p.get(t, "/")
	assert.Equal(t, 520, resp.StatusCode)
	assert.Contains(t, content, "bare-cr")
	resp, content = p.get(t, "/missing")
	assert.Equal(t, 404, resp.StatusCode, "what is not the transport's passes on")
	assert.Equal(t, "404 of Caddy", content)
}

func TestOneIDLeadsFromThePageToTheLogAndTheEvidence(t *testing.T) {
	t.Parallel()
	o := origintest.Start(t, "bare-cr")
	p := start(t, "", "\tlog_append said_phase {http.why520.phase}\n\tlog_append said_status {http.why520.status}\n\tlog_append said_id {http.why520.id}\n\twhy520\n"+proxied(o.Addr(), "", "recorder 16 1MiB"))
	_, content := p.get(t, "/found")
	_, id, _ := strings.Cut(content, "id      ")
	id, _, _ = strings.Cut(id, "\n")
	require.Len(t, id, 16)
	access := p.record(t, "http.log.access", "/found")
	assert.Equal(t, id, access["why520_id"])
	assert.Equal(t, "bare-cr", access["why520_reason"])
	assert.Equal(t, "head", access["said_phase"])
	assert.EqualValues(t, 520, access["said_status"])
	assert.Equal(t, id, access["said_id"])
	assert.Equal(t, id, p.record(t, "the upstream failed")["id"])
	status, ids := p.admin(t, "/why520/evidence")
	assert.Equal(t, 200, status)
	assert.Equal(t, id+"\n", ids)
	status, evidence := p.admin(t, "/why520/evidence/"+id)
	assert.Equal(t, 200, status)
	e := new(validator.Evidence)
	require.NoError(t, unmarshal(evidence, e))
	assert.Equal(t, wire.BareCR, validator.Judge(e, nil).Reason)
	p.reload(t)
	_, ids = p.admin(t, "/why520/evidence")
	assert.Equal(t, id+"\n", ids, "it outlives a reload")
	status, _ = p.admin(t, "/why520/evidence/0000000000000000")
	assert.Equal(t, 404, status)
}

func TestExchangesAreCounted(t *testing.T) {
	t.Parallel()
	bad, good := origintest.Start(t, "bare-cr"), origintest.Start(t, "ok")
	p := start(t, "", "\twhy520\n\thandle /bad {\n"+proxied(bad.Addr(), "", "")+"}\n\thandle {\n"+proxied(good.Addr(), "", "")+"}\n")
	for _, path := range []string{"/bad", "/", "/", "/bad", "/"} {
		p.get(t, path)
	}
	_, metrics := p.admin(t, "/metrics")
	assert.Contains(t, metrics, `caddy_why520_exchanges_total{reason="bare-cr"} 2`)
	assert.Contains(t, metrics, `caddy_why520_exchanges_total{reason="ok"} 3`)
}

// fallible gives an origin that answers well until it is told to fail.
func fallible(t *testing.T) (origin string, fails *atomic.Bool) {
	t.Helper()
	fails = new(atomic.Bool)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails.Load() {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<body>page of %s", r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return address(s), fails
}

func TestTheLastGoodCopyIsServed(t *testing.T) {
	t.Parallel()
	origin, fails := fallible(t)
	p := start(t, "", "\twhy520 {\n\t\talways_online {\n\t\t\tbanner\n\t\t\tmax_size 1KiB\n\t\t}\n\t}\n\tencode\n\thandle_path /a/* {\n"+proxied(origin, "", "")+"}\n\thandle_path /b/* {\n"+proxied(origin, "", "")+"}\n")
	resp, content := p.get(t, "/a/x")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "<body>page of /x", content)
	fails.Store(true)
	resp, content = p.get(t, "/a/x")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Contains(t, content, "page of /x")
	assert.NotEqual(t, "<body>page of /x", content, "it has a banner")
	assert.Contains(t, resp.Header.Get("Cache-Status"), "hit")
	assert.NotEmpty(t, resp.Header.Get("Age"))
	assert.NotEmpty(t, resp.Header.Get("Proxy-Status"))
	resp, _ = p.get(t, "/b/x")
	assert.Equal(t, 520, resp.StatusCode, "another URI, though the origin is asked for the same")
}

// Over HTTP/3, a server does not know beforehand that a GET has no content.
func TestOverHTTP3TheLastGoodCopyIsServed(t *testing.T) {
	t.Parallel()
	origin, fails := fallible(t)
	cert, key, config := forTLS(t)
	p := start(t, "", "}\nhttps://example.com {\n\tbind fdgram/4 {\n\t\tprotocols h3\n\t}\n\ttls "+cert+" "+key+"\n\twhy520 {\n\t\talways_online\n\t}\n"+proxied(origin, "", ""))
	transport := &http3.Transport{TLSClientConfig: config}
	defer transport.Close()
	get := func(content io.Reader) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+p.over3+"/x", content)
		require.NoError(t, err)
		r.Host = "example.com"
		resp, err := transport.RoundTrip(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, 3, resp.ProtoMajor)
		return resp.StatusCode, string(got)
	}
	get(strings.NewReader("content"))
	fails.Store(true)
	status, _ := get(nil)
	assert.Equal(t, 520, status, "a copy of what was asked for with content")
	fails.Store(false)
	get(nil)
	fails.Store(true)
	status, content := get(nil)
	assert.Equal(t, 200, status)
	assert.Equal(t, "<body>page of /x", content)
	status, _ = get(strings.NewReader("content"))
	assert.Equal(t, 520, status)
}

// forTLS gives the files of a certificate for example.com and its key, and how a
// client trusts it.
func forTLS(t *testing.T) (cert, key string, config *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	of := s.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(of.PrivateKey)
	require.NoError(t, err)
	cert, key = t.TempDir()+"/cert.pem", t.TempDir()+"/key.pem"
	for file, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: of.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(b), 0o600))
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return cert, key, &tls.Config{RootCAs: roots, ServerName: "example.com"}
}

func TestCopiesSurvive(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]string{"memory": "memory pages", "disk": "disk copies"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin, fails := fallible(t)
			site := "\twhy520 {\n\t\talways_online {\n\t\t\t" + store + "\n\t\t\tbudget 1MiB\n\t\t}\n\t}\n" + proxied(origin, "", "")
			p := start(t, "", site)
			p.get(t, "/x")
			fails.Store(true)
			p.configure(t, "", "\theader X-Config new\n"+site)
			p.reload(t)
			resp, content := p.get(t, "/x")
			assert.Equal(t, "new", resp.Header.Get("X-Config"))
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, "<body>page of /x", content)
			p.end()
			p.run(t)
			resp, _ = p.get(t, "/x")
			if name == "disk" {
				assert.Equal(t, 200, resp.StatusCode, "a restart, too")
			} else {
				assert.Equal(t, 520, resp.StatusCode)
			}
		})
	}
}

func TestValidatingLeavesTheFolderAlone(t *testing.T) {
	t.Parallel()
	origin, _ := fallible(t)
	copies := t.TempDir() + "/copies"
	p := start(t, "", "\twhy520 {\n\t\talways_online {\n\t\t\tdisk "+copies+"\n\t\t}\n\t}\n"+proxied(origin, "", ""))
	validate := func() {
		t.Helper()
		c := exec.Command(caddy, "validate", "--config", p.file, "--adapter", "caddyfile")
		c.Env = append(os.Environ(), "HOME="+p.dir, "XDG_DATA_HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir)
		out, err := c.CombinedOutput()
		assert.NoError(t, err, "%s", out)
	}
	validate()
	assert.NoDirExists(t, copies, "it would be the folder of who validates")
	p.get(t, "/x")
	assert.DirExists(t, copies)
	validate()
}

// Where another process has the folder, as when a new Caddy starts before the old one
// has ended, copies are in memory until it is free.
func TestCopiesWaitForTheFolder(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(200)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status.Load() == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(int(status.Load()))
		fmt.Fprintf(w, "page of %s", r.URL.Path)
	}))
	t.Cleanup(s.Close)
	copies := t.TempDir() + "/copies"
	p := start(t, "", "\twhy520 {\n\t\talways_online {\n\t\t\tdisk "+copies+"\n\t\t}\n\t}\n"+proxied(address(s), "", ""))
	p.get(t, "/gone")
	p.get(t, "/stays")
	p.end()
	other, err := boltstore.Open(copies, 1<<20, nil)
	require.NoError(t, err)
	p.run(t)
	p.get(t, "/new")
	assert.Contains(t, p.record(t, "in memory until")["error"], "another process has "+copies)
	status.Store(404)
	p.get(t, "/gone")
	status.Store(0)
	check := func(want map[string]int) {
		t.Helper()
		for path, status := range want {
			resp, _ := p.get(t, path)
			assert.Equal(t, status, resp.StatusCode, path)
		}
	}
	check(map[string]int{"/new": 200, "/gone": 520, "/stays": 520})
	require.NoError(t, other.Close())
	p.record(t, "on disk now")
	check(map[string]int{"/new": 200, "/gone": 520, "/stays": 200})
	p.end()
	p.run(t)
	check(map[string]int{"/new": 200, "/gone": 520, "/stays": 200})
}

func TestAConfigurationThatIsRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	origin, fails := fallible(t)
	site := func(policy string) string {
		return "\twhy520 {\n\t\talways_online {\n\t\t\tdisk copies\n\t\t}\n\t}\n" + proxied(origin, "", "recorder\npolicy "+policy)
	}
	p := start(t, "", site("strict"))
	p.get(t, "/x")
	for range 2 {
		p.configure(t, "", site("lax"))
		out, err := p.tryReload()
		assert.Error(t, err, "%s", out)
	}
	fails.Store(true)
	resp, _ := p.get(t, "/x")
	assert.Equal(t, 200, resp.StatusCode)
	p.configure(t, "", site("report"))
	p.reload(t)
	resp, _ = p.get(t, "/x")
	assert.Equal(t, 200, resp.StatusCode)
}

// What forward_auth was told is not the page that the client asked for.
func TestLeaveIsNotKept(t *testing.T) {
	t.Parallel()
	var granted atomic.Bool
	auth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !granted.Load() {
			w.Header().Set("Location", "/login")
			w.WriteHeader(http.StatusMovedPermanently)
			fmt.Fprint(w, "who are you?")
		}
	}))
	t.Cleanup(auth.Close)
	origin, fails := fallible(t)
	fails.Store(true)
	p := start(t, "", "\twhy520 {\n\t\talways_online\n\t}\n\tforward_auth "+address(auth)+" {\n\t\turi /auth\n\t\ttransport why520\n\t}\n"+proxied(origin, "", ""))
	resp, _ := p.get(t, "/x")
	assert.Equal(t, 301, resp.StatusCode)
	granted.Store(true)
	resp, _ = p.get(t, "/x")
	assert.Equal(t, 520, resp.StatusCode, "a copy of what was not the page")
}

func TestALocalFaultIsNoVerdictOnTheUpstream(t *testing.T) {
	t.Parallel()
	p := start(t, "", "\twhy520\n"+proxied("unix//nowhere/at/all", "", ""))
	resp, content := p.get(t, "/")
	assert.GreaterOrEqual(t, resp.StatusCode, 500)
	assert.Contains(t, resp.Header.Get("Proxy-Status"), "why520; error=")
	t.Log(resp.StatusCode, content)
}
