package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	assert.Eventually(t, func() bool { _, content := get(t, c, p.url("/")); return content == "second" }, time.Minute, 20*time.Millisecond)
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
		c, err := net.Dial("tcp", p.clients.Addr().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	}, time.Minute, time.Millisecond)
	response, _ = get(t, client(t, nil), health)
	assert.Equal(t, 503, response.StatusCode)
	leave <- true
	assert.Equal(t, "whole", <-answer)
	assert.NoError(t, <-ended)
}

// What does not end by itself is cut off when the time for it is over: a response
// that never comes, content that never ends, and a connection that speaks another
// protocol. That is no doing of the clients', and who was sent nothing is told.
func TestProxyEndsInTheEnd(t *testing.T) {
	var arrived atomic.Int32
	origin := originOf(t, func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		switch {
		case r.Header.Get("Upgrade") != "":
			echo(w)
			return
		case r.URL.Path == "/content":
			fmt.Fprint(w, "begun")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	p := startProxy(t, nil, "--origin", origin, "--drain-timeout", "50ms", "--hold-content", "0")
	c := upgraded(t, p.clients.Addr().String())
	begun, err := client(t, nil).Get(p.url("/content"))
	require.NoError(t, err)
	defer begun.Body.Close()
	type answer struct {
		*http.Response
		content string
	}
	answers := make(chan answer, 2)
	for _, method := range []string{"GET", "POST"} {
		go func() {
			r, _ := http.NewRequest(method, p.url("/nothing"), nil)
			response, err := client(t, nil).Do(r)
			if assert.NoError(t, err) {
				content, _ := io.ReadAll(response.Body)
				response.Body.Close()
				answers <- answer{response, string(content)}
			}
		}()
	}
	require.Eventually(t, func() bool { return arrived.Load() == 4 }, time.Minute, time.Millisecond)
	require.NoError(t, p.stop())
	_, err = c.Read(make([]byte, 1))
	assert.Error(t, err)
	content, err := io.ReadAll(begun.Body)
	assert.Equal(t, "begun", string(content))
	assert.Error(t, err)
	for range 2 {
		a := <-answers
		assert.Equal(t, 503, a.StatusCode)
		assert.True(t, a.Close, "Connection: close")
		assert.Contains(t, a.content, "ending")
		assert.Equal(t, `why520; error=proxy_internal_error; details="ending"`, a.Header.Get("Proxy-Status"))
		assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	}
	assert.Contains(t, p.errors.String(), "cut off")
	for _, line := range p.out.all(t, 4) {
		if line["path"] == "/socket" { // of which HTTP is over
			assert.Equal(t, "ok", line["reason"], line)
			continue
		}
		assert.Equal(t, "ending", line["reason"], line)
		assert.Contains(t, line["message"], "this proxy", line)
		assert.Equal(t, map[any]any{"/nothing": 503.0, "/content": 200.0}[line["path"]], line["status"], line)
	}
	assert.EqualValues(t, 3, p.metric("why520_verdicts_total", "reason=ending"))
	assert.Zero(t, p.metric("why520_verdicts_total", "reason=client-closed"))
}
