package why520_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A process is a Caddy that runs.
type process struct {
	dir     string     // its own
	site    string     // its address on loopback
	over3   string     // that for HTTP/3, where the site has bind fdgram/4
	sockets []*os.File // of these: Caddy inherits them, so that nobody can take the ports before
	file    string     // its Caddyfile
	client  *http.Client
	end     func() // asks it to end, and waits

	mu      sync.Mutex
	lines   []string // that it logged
	changed chan struct{}
}

// start runs Caddy with a site: what stands in the site's block. options are
// global.
func start(t *testing.T, options, site string) *process {
	t.Helper()
	dir, err := os.MkdirTemp("", "caddy") // short, for the admin endpoint's socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	datagrams, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer datagrams.Close()
	p := &process{dir: dir, site: l.Addr().String(), over3: datagrams.LocalAddr().String(), file: filepath.Join(dir, "Caddyfile"), changed: make(chan struct{}, 1)}
	for _, s := range []interface{ File() (*os.File, error) }{l.(*net.TCPListener), datagrams.(*net.UDPConn)} {
		socket, err := s.File()
		require.NoError(t, err)
		t.Cleanup(func() { socket.Close() })
		p.sockets = append(p.sockets, socket)
	}
	p.configure(t, options, site)
	p.run(t)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	p.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p
}

// configure writes the Caddyfile.
func (p *process) configure(t *testing.T, options, site string) {
	t.Helper()
	text := fmt.Sprintf("{\n\tadmin unix//%s/admin\n\tauto_https off\n\tpersist_config off\n\tlog {\n\t\toutput stderr\n\t\tformat json\n\t}\n%s\n}\nhttp://%s {\n\tbind fd/3\n\tlog\n%s\n}\n",
		p.dir, options, p.site, site)
	require.NoError(t, os.WriteFile(p.file, []byte(text), 0o600))
}

// run starts it, and waits until it serves.
func (p *process) run(t *testing.T) {
	t.Helper()
	c := exec.Command(caddy, "run", "--config", p.file, "--adapter", "caddyfile")
	c.Dir, c.ExtraFiles = p.dir, p.sockets
	c.Env = append(os.Environ(), "HOME="+p.dir, "XDG_DATA_HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir)
	out, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	p.mu.Lock()
	p.lines = nil
	p.mu.Unlock()
	var reading sync.WaitGroup
	reading.Go(func() { p.read(out) })
	p.end = sync.OnceFunc(func() {
		assert.NoError(t, c.Process.Signal(syscall.SIGTERM))
		timer := time.AfterFunc(time.Minute, func() { c.Process.Signal(syscall.SIGQUIT) })
		reading.Wait()
		assert.NoError(t, c.Wait(), "caddy ends in good order")
		timer.Stop()
	})
	t.Cleanup(func() { p.end() })
	p.await(t, func(line string) bool { return strings.Contains(line, "serving initial configuration") })
}

func (p *process) read(out io.Reader) {
	s := bufio.NewScanner(out)
	s.Buffer(nil, 4<<20)
	for s.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, s.Text())
		p.mu.Unlock()
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
}

// await waits for a line that it logs, or has logged.
func (p *process) await(t *testing.T, is func(line string) bool) string {
	t.Helper()
	end := time.After(time.Minute)
	for seen := 0; ; {
		p.mu.Lock()
		lines := p.lines
		p.mu.Unlock()
		for ; seen < len(lines); seen++ {
			if is(lines[seen]) {
				return lines[seen]
			}
		}
		select {
		case <-p.changed:
		case <-end:
			require.FailNow(t, "caddy did not log it", "%s", strings.Join(lines[max(0, len(lines)-20):], "\n"))
		}
	}
}

// record waits for a record of the log that has all of these, and gives it.
func (p *process) record(t *testing.T, has ...string) map[string]any {
	t.Helper()
	line := p.await(t, func(line string) bool {
		for _, s := range has {
			if !strings.Contains(line, s) {
				return false
			}
		}
		return true
	})
	var record map[string]any
	require.NoError(t, json.Unmarshal([]byte(line), &record))
	return record
}

// reload has it take its Caddyfile anew.
func (p *process) reload(t *testing.T) {
	t.Helper()
	out, err := p.tryReload()
	assert.NoError(t, err, "%s", out)
}

func (p *process) tryReload() ([]byte, error) {
	return exec.Command(caddy, "reload", "--config", p.file, "--adapter", "caddyfile", "--address", "unix/"+p.dir+"/admin").CombinedOutput()
}

// admin asks its admin endpoint.
func (p *process) admin(t *testing.T, path string) (int, string) {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", p.dir+"/admin")
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://127.0.0.1" + path)
	require.NoError(t, err)
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(content)
}

// get asks the site, and gives its response with the content.
func (p *process) get(t *testing.T, path string, fields ...string) (*http.Response, string) {
	t.Helper()
	resp, content, err := p.do(t, p.request(t, http.MethodGet, path, nil, fields...))
	require.NoError(t, err)
	return resp, content
}

func (p *process) request(t *testing.T, method, path string, content io.Reader, fields ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.site+path, content)
	require.NoError(t, err)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	return r
}

// do sends r; the error is one of reading the content, too.
func (p *process) do(t *testing.T, r *http.Request) (*http.Response, string, error) {
	t.Helper()
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, "", nil
	}
	content, err := io.ReadAll(resp.Body)
	return resp, string(content), err
}

// adapt gives what Caddy makes of a Caddyfile's site, or why it does not.
func adapt(t *testing.T, site string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Caddyfile")
	require.NoError(t, os.WriteFile(file, []byte("http://127.0.0.1:1 {\n"+site+"\n}\n"), 0o600))
	var out, said bytes.Buffer
	c := exec.Command(caddy, "adapt", "--config", file, "--adapter", "caddyfile", "--validate")
	c.Env = append(os.Environ(), "HOME="+filepath.Dir(file), "XDG_DATA_HOME="+filepath.Dir(file), "XDG_CONFIG_HOME="+filepath.Dir(file))
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		return said.String(), err
	}
	return out.String(), nil
}
