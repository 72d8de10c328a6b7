package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/origintest"
)

// echo switches to a protocol in which everything comes back.
func echo(w http.ResponseWriter) {
	c, b, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	io.Copy(c, b)
}

// upgraded gives a connection on which the protocol was switched.
func upgraded(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	_, err = io.WriteString(c, "GET /socket HTTP/1.1\r\nHost: origin.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	require.NoError(t, err)
	r := bufio.NewReader(c)
	response, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	require.Equal(t, 101, response.StatusCode)
	require.Zero(t, r.Buffered())
	return c
}

func TestProxyPassesWebSocketsAndUploads(t *testing.T) {
	origin := originOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			echo(w)
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	p := startProxy(t, nil, "--origin", origin)
	c := upgraded(t, p.clients.Addr().String())
	_, err := io.WriteString(c, "to and fro")
	require.NoError(t, err)
	b := make([]byte, 10)
	_, err = io.ReadFull(c, b)
	require.NoError(t, err)
	assert.Equal(t, "to and fro", string(b))
	c.Close()
	line := p.out.all(t, 1)[0]
	assert.Equal(t, "ok", line["reason"])
	assert.EqualValues(t, 101, line["status"])

	const size = 5 << 20
	for _, content := range []io.Reader{io.LimitReader(zeros{}, size), bytes.NewReader(make([]byte, size))} {
		response, err := http.Post(p.url("/"), "text/plain", content)
		require.NoError(t, err)
		got, _ := io.ReadAll(response.Body)
		response.Body.Close()
		assert.Equal(t, fmt.Sprint(size, "<nil>"), strings.ReplaceAll(string(got), " ", ""))
	}
	assert.EqualValues(t, size, p.out.all(t, 3)[2]["bytes_in"])
	assertCountedOnce(t, p)
}

// An origin may answer before it has all of what is sent.
func TestAnAnswerComesBeforeTheUploadEnds(t *testing.T) {
	origin := originOf(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for b := make([]byte, 4); ; w.(http.Flusher).Flush() {
			if _, err := io.ReadFull(r.Body, b); err != nil {
				return
			}
			w.Write(b)
		}
	})
	p := startProxy(t, nil, "--origin", origin, "--hold-content", "0")
	reader, writer := io.Pipe()
	response, err := http.Post(p.url("/"), "text/plain", reader)
	require.NoError(t, err)
	defer response.Body.Close()
	for range 3 {
		_, err = io.WriteString(writer, "ping")
		require.NoError(t, err)
		b := make([]byte, 4)
		_, err = io.ReadFull(response.Body, b)
		require.NoError(t, err)
		assert.Equal(t, "ping", string(b))
	}
	writer.Close()
	rest, err := io.ReadAll(response.Body)
	assert.NoError(t, err)
	assert.Empty(t, rest)
}

func TestSlowClientsAreNotWaitedForForever(t *testing.T) {
	origin := originOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.CopyN(w, zeros{}, 64<<20)
		}
		io.Copy(io.Discard, r.Body)
	})
	p := startProxy(t, nil, "--origin", origin, "--client-timeout", "2s")
	c := rawClient(t, p, "POST / HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 100\r\n\r\nsome")
	response, content := c.answer(t, http.MethodPost)
	assert.Equal(t, http.StatusRequestTimeout, response.StatusCode)
	assert.Equal(t, "408: what was to be sent did not come in time\n", content)
	assert.True(t, response.Close)
	assert.Empty(t, c.rest(t), "the connection ends: nobody waits for the rest for ever")
	line := p.out.all(t, 1)[0]
	assert.Equal(t, "client-closed", line["reason"], line)

	// This one does not read.
	d, err := net.Dial("tcp", p.clients.Addr().String())
	require.NoError(t, err)
	defer d.Close()
	_, err = io.WriteString(d, "GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n")
	require.NoError(t, err)
	line = p.out.all(t, 2)[1]
	assert.Equal(t, "client-closed", line["reason"], line)
	assert.Equal(t, true, line["cut"])
}

func TestRoutesAndWhatHasNone(t *testing.T) {
	say := func(name string) string {
		return originOf(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name, " ", r.Host, r.URL.Path) })
	}
	config := file(t, "proxy.yaml", fmt.Sprintf(`origins:
  - url: %s
    hosts: [www.example.com]
  - url: %s/base
    hosts: [www.example.com]
    path: /api/
    host: api.internal
  - url: %s
    hosts: ["*.example.com"]
`, say("site"), say("api"), say("others")))
	p := startProxy(t, nil, "--config", config)
	for host, want := range map[string]string{
		"www.example.com/": "site www.example.com/", "WWW.example.com:80/apis": "site WWW.example.com:80/apis",
		"www.example.com/api": "api api.internal/base/api", "www.example.com/api/x": "api api.internal/base/api/x",
		"a.b.example.com/api": "others a.b.example.com/api", "example.com/": "421", "other.test/": "421",
	} {
		host, path, _ := strings.Cut(host, "/")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url("/"+path), nil)
		require.NoError(t, err)
		r.Host = host
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		content, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if want == "421" {
			assert.Equal(t, 421, response.StatusCode, host)
			assert.Contains(t, response.Header.Get("Proxy-Status"), "destination_not_found")
			continue
		}
		assert.Equal(t, want, string(content), host)
	}
}

func TestALoopEnds(t *testing.T) {
	var p *running
	there := originOf(t, func(w http.ResponseWriter, r *http.Request) { // sends all back to the proxy
		again, _ := http.NewRequestWithContext(r.Context(), r.Method, p.url("/"), nil)
		again.Header = r.Header.Clone()
		response, err := http.DefaultClient.Do(again)
		if err == nil {
			w.WriteHeader(response.StatusCode)
			io.Copy(w, response.Body)
			response.Body.Close()
		}
	})
	p = startProxy(t, nil, "--origin", there)
	response, content := get(t, client(t, nil), p.url("/"))
	assert.Equal(t, http.StatusLoopDetected, response.StatusCode)
	assert.Contains(t, content, "came through this proxy before")
}

// The ID on a page leads to the line of the log, to the verdict and to the
// evidence; no secret is in any of them.
func TestAnIDLeadsToTheEvidence(t *testing.T) {
	o := origintest.Start(t, "head-too-large")
	p := startProxy(t, nil, "--origin", o.URL(), "--policy", "strict", "--admin", "127.0.0.1:0", "--status", "502")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url("/path?token=s3cret"), nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer s3cret")
	r.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	content, _ := io.ReadAll(response.Body)
	response.Body.Close()
	assert.Equal(t, 502, response.StatusCode)
	id := asJSON(t, string(content))["id"].(string)
	line := p.out.all(t, 1)[0]
	assert.Equal(t, id, line["id"])
	assert.Equal(t, "/path", line["path"])
	assert.NotContains(t, p.out.String(), "s3cret")
	admin := "http://" + p.operators.Addr().String()
	_, verdict := get(t, client(t, nil), admin+"/verdicts/"+id)
	assert.Equal(t, "head-too-large", asJSON(t, verdict)["reason"])
	_, all := get(t, client(t, nil), admin+"/verdicts")
	assert.Len(t, verdicts(t, all), 1)
	_, evidence := get(t, client(t, nil), admin+"/verdicts/"+id+"/evidence")
	assert.NotContains(t, strings.ReplaceAll(evidence, "token=s3cret", ""), "s3cret")
	judged := why520(t, "judge", "--json", file(t, "evidence", evidence))
	assert.Equal(t, "head-too-large", verdicts(t, judged.out)[0]["reason"], judged.log)
	response, _ = get(t, client(t, nil), admin+"/verdicts/0000000000000000")
	assert.Equal(t, 404, response.StatusCode)
	_, metrics := get(t, client(t, nil), admin+"/metrics")
	assert.Contains(t, metrics, `why520_verdicts_total{cause="head-too-large",reason="head-too-large",status="520"} 1`)
	assert.Contains(t, metrics, `why520_requests_total{status="502"} 1`)
	_, index := get(t, client(t, nil), admin+"/")
	assert.Contains(t, index, "/verdicts/ID")
}

// The page of a failure that the verdict does not tell of has an ID of its own.
func TestAnIDWithoutAVerdictLeadsToTheLineToo(t *testing.T) {
	p := startProxy(t, nil, "--origin", originOf(t, func(w http.ResponseWriter, _ *http.Request) { echo(w) }))
	c := rawClient(t, p, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: another\r\n\r\n")
	response, page := c.answer(t, "GET")
	assert.Equal(t, 502, response.StatusCode)
	line := p.out.all(t, 1)[0]
	assert.Contains(t, page, line["id"])
	assert.Contains(t, line["error"], "tried to switch protocol")
	assertCountedOnce(t, p)
}

// A copy that is served in the place of a failure is told.
func TestAStoredCopyIsTold(t *testing.T) {
	var down atomic.Bool
	origin := originOf(t, func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, "hello")
	})
	p := startProxy(t, nil, "--origin", origin)
	get(t, client(t, nil), p.url("/"))
	down.Store(true)
	response, content := get(t, client(t, nil), p.url("/"))
	assert.Equal(t, 200, response.StatusCode)
	assert.Equal(t, "hello", content)
	assert.Contains(t, response.Header.Get("Cache-Status"), "hit")
	line := p.out.all(t, 2)[1]
	assert.Equal(t, true, line["stored_copy"])
	assert.EqualValues(t, 520, line["edge_status"])
	assert.Equal(t, 1.0, p.metric("why520_stored_copies_served_total", ""))
}

func TestAQueryAndTrailersArriveAsTheyWereSent(t *testing.T) {
	p := startProxy(t, nil, "--origin", originOf(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.RequestURI, " ", r.Trailer)
	}))
	const uri = "/x?q=100%&z=1;y=2"
	c := rawClient(t, p, "POST "+uri+" HTTP/1.1\r\nHost: x\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 7\r\n\r\n")
	_, content := c.answer(t, "POST")
	assert.Equal(t, uri+" map[X-Sum:[7]]", content)
}

func TestTheHeadOfAStreamOfEventsArrivesBeforeTheFirst(t *testing.T) {
	for _, kind := range []string{"text/event-stream", "Text/Event-Stream; charset=utf-8"} {
		arrived := make(chan struct{})
		origin := originOf(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			_ = http.NewResponseController(w).Flush()
			<-arrived
			io.WriteString(w, "data: 1\n\n")
		})
		p := startProxy(t, nil, "--origin", origin)
		response, err := http.Get(p.url("/"))
		close(arrived)
		require.NoError(t, err, kind)
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		require.NoError(t, err)
		assert.Equal(t, "data: 1\n\n", string(content))
	}
}
