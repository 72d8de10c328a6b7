package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/origintest"
)

func TestProxyOverTLSAndHTTP2(t *testing.T) {
	origin := originOf(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("X-Forwarded-Proto"), " ", r.Host)
	})
	cert, key, roots := certificate(t)
	p := startProxy(t, nil, "--origin", origin, "--tls-cert", cert, "--tls-key", key)
	url := "https://" + p.clients.Addr().String() + "/"
	response, content := get(t, client(t, roots), url)
	assert.Equal(t, 2, response.ProtoMajor)
	assert.Equal(t, "https "+p.clients.Addr().String(), content)

	// A certificate that is renewed is shown to who comes next; a broken one is not.
	newCert, newKey, newRoots := certificate(t)
	require.NoError(t, os.Rename(newCert, cert))
	require.NoError(t, os.Rename(newKey, key))
	p.reloads(t, "ok")
	get(t, client(t, newRoots), url)
	_, err := client(t, roots).Get(url)
	assert.Error(t, err)
	require.NoError(t, os.WriteFile(cert, []byte("no certificate"), 0o600))
	p.reloads(t, "error")
	get(t, client(t, newRoots), url)
	assert.Contains(t, p.errors.String(), "the one before stays")
}

func TestProxyNeedsNoSignalToSeeThatItsFileChanged(t *testing.T) {
	first := originOf(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "first") })
	second := originOf(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "second") })
	config := file(t, "proxy.yaml", "origins: [{url: '"+first+"'}]")
	p := startProxy(t, nil, "--config", config)
	c := client(t, nil)
	_, content := get(t, c, p.url("/"))
	assert.Equal(t, "first", content)
	require.NoError(t, os.WriteFile(config, []byte("origins: [{url: '"+second+"'}]\n"), 0o600))
	assert.Eventually(t, func() bool { _, content := get(t, c, p.url("/")); return content == "second" }, 20*time.Second, 20*time.Millisecond)
}

// While requests are under way, the configuration changes to and fro: none is
// lost, and each is answered by one of the origins.
func TestReloadLosesNoRequest(t *testing.T) {
	slow := func(name string) string {
		return originOf(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
			fmt.Fprint(w, name)
		})
	}
	origins := []string{slow("one"), slow("two")}
	config := file(t, "proxy.yaml", "origins: [{url: '"+origins[0]+"'}]")
	p := startProxy(t, nil, "--config", config)
	var answered [2]atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			c := client(t, nil)
			for ctx.Err() == nil {
				response, err := c.Post(p.url("/"), "text/plain", strings.NewReader("content"))
				if !assert.NoError(t, err) {
					return
				}
				content, err := io.ReadAll(response.Body)
				response.Body.Close()
				assert.NoError(t, err)
				assert.Equal(t, 200, response.StatusCode)
				switch string(content) {
				case "one":
					answered[0].Add(1)
				case "two":
					answered[1].Add(1)
				default:
					assert.Fail(t, "neither", "%q", content)
				}
			}
		})
	}
	for i := range 40 {
		text := "origins: [{url: '" + origins[(i+1)%2] + "'}]\n"
		result := "ok"
		if i%5 == 4 {
			text, result = "origins: [{url: 5}]\n", "error"
		}
		require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
		p.reloads(t, result)
	}
	stop()
	wait.Wait()
	assert.Positive(t, answered[0].Load())
	assert.Positive(t, answered[1].Load())
	p.out.all(t, int(answered[0].Load()+answered[1].Load()))
	assertCountedOnce(t, p)
}

// At the end, what is in flight is answered, and nothing new is taken.
func TestProxyEndsInOrder(t *testing.T) {
	arrived, leave := make(chan bool), make(chan bool)
	origin := originOf(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- true
		<-leave
		fmt.Fprint(w, "whole")
	})
	p := startProxy(t, nil, "--origin", origin, "--admin", "127.0.0.1:0")
	health := "http://" + p.operators.Addr().String() + "/healthz"
	response, _ := get(t, client(t, nil), health)
	assert.Equal(t, 200, response.StatusCode)
	answer := make(chan string)
	go func() {
		response, err := http.Get(p.url("/"))
		if !assert.NoError(t, err) {
			close(answer)
			return
		}
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		assert.NoError(t, err)
		answer <- string(content)
	}()
	<-arrived
	ended := make(chan error)
	go func() { ended <- p.stop() }()
	require.Eventually(t, func() bool {
		_, err := net.Dial("tcp", p.clients.Addr().String())
		return err != nil
	}, 20*time.Second, time.Millisecond)
	response, _ = get(t, client(t, nil), health)
	assert.Equal(t, 503, response.StatusCode)
	leave <- true
	assert.Equal(t, "whole", <-answer)
	assert.NoError(t, <-ended)
}

// What does not end by itself is cut off when the time for it is over: a response
// that never comes, and a connection that speaks another protocol.
func TestProxyEndsInTheEnd(t *testing.T) {
	origin := originOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			echo(w)
			return
		}
		<-r.Context().Done()
	})
	p := startProxy(t, nil, "--origin", origin, "--drain-timeout", "50ms")
	c := upgraded(t, p.clients.Addr().String())
	go http.Get(p.url("/"))
	require.Eventually(t, func() bool { return p.metric("why520_requests_in_flight", "") == 2 }, 20*time.Second, time.Millisecond)
	require.NoError(t, p.stop())
	_, err := c.Read(make([]byte, 1))
	assert.Error(t, err)
	assert.Contains(t, p.errors.String(), "cut off")
	p.out.all(t, 2)
}

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
	p := startProxy(t, nil, "--origin", origin, "--client-timeout", "200ms")
	c, err := net.Dial("tcp", p.clients.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "POST / HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 100\r\n\r\nsome")
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestTimeout, response.StatusCode)
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

// proxyArguments is the variable that makes this test's program the command.
const proxyArguments = "WHY520_TEST_ARGUMENTS"

// A command is one in a process of its own.
type command struct {
	*exec.Cmd
	address string // that the proxy listens on
	log     *bufio.Reader
}

func startCommand(t *testing.T, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), proxyArguments+"="+strings.Join(args, "\n"))
	log, err := c.StderrPipe()
	require.NoError(t, err)
	c.log = bufio.NewReader(log)
	require.NoError(t, c.Start())
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	said, err := c.log.ReadString('\n')
	require.NoError(t, err)
	_, rest, found := strings.Cut(said, "http://")
	require.True(t, found, said)
	c.address, _, _ = strings.Cut(rest, " ")
	return c
}

// A process that is killed loses no copy that was written, and serves none that is
// not whole.
func TestAKilledProxyServesWholeCopies(t *testing.T) {
	var down atomic.Bool
	content := strings.Repeat("whole ", 10_000)
	origin := originOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case down.Load():
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/cut":
			w.Header().Set("Content-Length", fmt.Sprint(len(content)+1))
		}
		fmt.Fprint(w, content)
	})
	folder := t.TempDir() + "/copies"
	first := startCommand(t, "proxy", "--origin", origin, "--listen", "127.0.0.1:0", "--store", folder, "--hold-content", "1")
	base := "http://" + first.address
	get(t, client(t, nil), base+"/a")
	_, err := readAll(base + "/cut")
	require.Error(t, err)
	time.Sleep(500 * time.Millisecond) // it is written soon; the loss of the last moment is what a kill may cost
	require.NoError(t, first.Process.Kill())
	first.Wait()

	down.Store(true)
	second := startCommand(t, "proxy", "--origin", origin, "--listen", first.address, "--store", folder)
	response, got := get(t, client(t, nil), base+"/a")
	assert.Equal(t, 200, response.StatusCode)
	assert.Equal(t, content, got)
	response, _ = get(t, client(t, nil), base+"/cut")
	assert.Equal(t, 520, response.StatusCode)

	// SIGHUP loads again, SIGTERM ends it.
	require.NoError(t, second.Process.Signal(syscall.SIGHUP))
	second.log.ReadString('\n') // the rest of what it says at the start
	said, err := second.log.ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, said, "the configuration was loaded")
	require.NoError(t, second.Process.Signal(syscall.SIGTERM))
	said, err = second.log.ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, said, "ending")
	assert.NoError(t, second.Wait())
}

// readAll gives the content, or why it is not whole.
func readAll(url string) (string, error) {
	response, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return string(content), err
}
