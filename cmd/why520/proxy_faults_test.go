package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

// like has a Transport ask as o must be asked so that its fault shows.
func like(o *origintest.Origin) func(*validator.Transport) {
	p := o.Prober()
	return func(t *validator.Transport) {
		l := &t.Policy.Limits
		for own, tuned := range map[*int]int{&l.Line: p.Policy.Limits.Line} {
			if tuned != 0 {
				*own = tuned
			}
		}
		if p.Policy.Limits.Body != 0 {
			l.Body = p.Policy.Limits.Body
		}
		d, tuned := &t.Deadlines, p.Deadlines
		for own, tuned := range map[*time.Duration]time.Duration{
			&d.Connect: tuned.Connect, &d.TLS: tuned.TLS, &d.Write: tuned.Write, &d.FirstByte: tuned.FirstByte,
			&d.Head: tuned.Head, &d.Idle: tuned.Idle, &d.Total: tuned.Total,
		} {
			if tuned != 0 {
				*own = tuned
			}
		}
		t.TLSClientConfig = p.TLS.Clone()
		t.TLSClientConfig.ServerName = o.Target().SNI
		dialer := &net.Dialer{Resolver: p.Resolver}
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err == nil && p.Connected != nil {
				err = p.Connected(ctx, c)
			}
			return c, err
		}
	}
}

// A received is what came to a client.
type received struct {
	status      int
	proxyStatus string
	content     string
	whole       bool // by all that the client can know
}

// A visitor asks the proxy at address for host, what o.Target asks, in one way.
type visitor func(t *testing.T, address, host string, o *origintest.Origin) received

// zeros is content without end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func methodOf(target validator.Target) string {
	switch {
	case target.Method != "":
		return target.Method
	case target.Upload > 0:
		return http.MethodPost
	}
	return http.MethodGet
}

// rawVisitor writes the request itself, and has the strict parser of this project
// read what comes.
func rawVisitor(version string) visitor {
	return func(t *testing.T, address, host string, o *origintest.Origin) received {
		target := o.Target()
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		defer c.Close()
		method := methodOf(target)
		length := ""
		if target.Upload > 0 {
			length = fmt.Sprintf("Content-Length: %d\r\n", target.Upload)
		}
		_, err = fmt.Fprintf(c, "%s / %s\r\nHost: %s\r\n%sConnection: close\r\n\r\n", method, version, host, length)
		require.NoError(t, err)
		if target.Upload > 0 {
			go io.Copy(c, io.LimitReader(zeros{}, target.Upload))
		}
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
		raw, err := io.ReadAll(c)
		end := wire.FIN
		if errors.Is(err, syscall.ECONNRESET) {
			end = wire.RST
		} else if !assert.NoError(t, err, "%q", raw) {
			end = wire.Timeout
		}
		e := validator.Read(raw, validator.RequestFacts{Method: method}, validator.ReadOptions{Policy: validator.Policy{Limits: wire.Limits{Head: 256 << 10}}, End: end})
		v := validator.Judge(e, nil)
		got := received{whole: v.OK()}
		if r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil); err == nil {
			for err == nil && r.StatusCode < 200 {
				buffered := bufio.NewReader(bytes.NewReader(raw[bytes.LastIndex(raw, []byte("HTTP/1.")):]))
				r, err = http.ReadResponse(buffered, nil)
			}
			require.NoError(t, err)
			got.status, got.proxyStatus = r.StatusCode, r.Header.Get("Proxy-Status")
			content, _ := io.ReadAll(r.Body)
			got.content = string(content)
		}
		return got
	}
}

// httpVisitor asks as programs in Go do.
func httpVisitor(c *http.Client, scheme string) visitor {
	return func(t *testing.T, address, host string, o *origintest.Origin) received {
		target := o.Target()
		var content io.Reader
		if target.Upload > 0 {
			content = io.LimitReader(zeros{}, target.Upload)
		}
		r, err := http.NewRequestWithContext(t.Context(), methodOf(target), scheme+"://"+address+"/", content)
		require.NoError(t, err)
		r.ContentLength, r.Host = target.Upload, host
		response, err := c.Do(r)
		if err != nil { // cut before anything was flushed
			return received{}
		}
		defer response.Body.Close()
		got := received{status: response.StatusCode, proxyStatus: response.Header.Get("Proxy-Status")}
		b, err := io.ReadAll(response.Body)
		got.content, got.whole = string(b), err == nil
		return got
	}
}

// passes has the reasons that the proxy passes on all the same, and why.
var passes = map[wire.Reason]string{
	validator.ContentCodingCorrupt:    "a proxy does not decode: the message is whole",
	validator.ReusedConnectionWasDead: "the request is sent again",
}

// inTime has the reasons that may stand for another, for a proxy does not wait to
// see what an origin does that has not been asked.
var inTime = map[wire.Reason][]wire.Reason{
	wire.HeadEndless:              {wire.HeadTooLarge, wire.TooManyFields},
	validator.ResetBeforeRequest:  {wire.ResetAfterRequest, validator.ResetDuringUpload},
	validator.ClosedBeforeRequest: {wire.ClosedWithoutAByte, wire.ResetAfterRequest, validator.ResetBeforeRequest},
	wire.ResetAfterRequest:        {validator.ResetBeforeRequest},
	wire.ClosedWithoutAByte:       {validator.ClosedBeforeRequest},
}

// fits reports whether Report lets pass what Strict refuses: a violation that can
// be tolerated, and heads of up to 128 KiB.
func fits(r wire.Reason) bool {
	return wire.Tolerable.Has(r) || r == wire.HeadTooLarge || r == wire.StatusLineTooLong || r == wire.TrailerTooLarge
}

// A setting is a proxy before all origins of the lab, each under a host of its own.
type setting struct {
	policy, hold string
	plain, tls   *running
}

// Every reason that the lab can show comes out of the proxy as what it is, to
// every kind of client, and never as a success.
func TestNoFaultPassesForSuccess(t *testing.T) {
	cert, key, roots := certificate(t)
	single := client(t, nil)
	single.Transport.(*http.Transport).DisableKeepAlives = true
	visitors := map[string]visitor{
		"http11": rawVisitor("HTTP/1.1"), "http10": rawVisitor("HTTP/1.0"),
		"nethttp": httpVisitor(single, "http"), "http2": httpVisitor(client(t, roots), "https"),
	}
	var (
		origins []*origintest.Origin
		config  = "origins:\n"
		tunes   = map[string]func(*validator.Transport){}
	)
	for _, f := range origintest.Faults() {
		if f.Reason == wire.OK || f.Skip() != "" {
			continue
		}
		o := origintest.Start(t, f.Name)
		path := fmt.Sprintf("f%d.test", len(origins))
		config += fmt.Sprintf("  - url: %s\n    hosts: [\"*.%s\"]\n", o.Target().URL, path)
		tunes["*."+path] = like(o)
		origins = append(origins, o)
	}
	tune := func(o *originConfig, tr *validator.Transport) { tunes[o.Hosts[0]](tr) }
	all := file(t, "proxy.yaml", config)
	var settings []*setting
	for _, policy := range []string{"strict", "report"} {
		for _, hold := range []string{"64KiB", "1"} {
			args := []string{"--config", all, "--policy", policy, "--hold-content", hold}
			settings = append(settings, &setting{policy, hold, startProxy(t, tune, args...),
				startProxy(t, tune, append(args, "--tls-cert", cert, "--tls-key", key)...)})
		}
	}
	var counts outcomes
	var wait sync.WaitGroup
	places := make(chan struct{}, 32)
	for i, o := range origins {
		for _, s := range settings {
			for name, ask := range visitors {
				places <- struct{}{}
				wait.Go(func() {
					defer func() { <-places }()
					s.visit(t, &counts, ask, o, fmt.Sprintf("%s.f%d.test", name, i))
				})
			}
		}
	}
	wait.Wait()
	t.Logf("%d pages, %d cut, %d repaired", counts.pages.Load(), counts.cuts.Load(), counts.repaired.Load())
	assert.Greater(t, counts.pages.Load(), int64(1000))
	assert.Greater(t, counts.cuts.Load(), int64(50))
	assert.Greater(t, counts.repaired.Load(), int64(50))
	for _, s := range settings {
		assertCountedOnce(t, s.plain)
		assertCountedOnce(t, s.tls)
	}
}

type outcomes struct{ pages, cuts, repaired atomic.Int64 }

// visit has one visitor ask for one origin, and judges what came to it.
func (s *setting) visit(t *testing.T, counts *outcomes, ask visitor, o *origintest.Origin, host string) {
	proxy := s.plain
	if strings.HasPrefix(host, "http2.") {
		proxy = s.tls
	}
	f := o.Fault
	what := fmt.Sprintf("%s: %s, %s held, %s", f.Name, s.policy, s.hold, host)
	var got received
	n := max(o.Target().Requests, 1)
	for i := range n {
		if i > 0 {
			time.Sleep(min(o.Target().Idle, 300*time.Millisecond)) // so that the origin does what it does meanwhile; if it is late, the same is expected
		}
		got = ask(t, proxy.clients.Addr().String(), host, o)
	}
	line := proxy.lineOf(t, host, n)
	reason, ok := wire.ReasonByToken(fmt.Sprint(line["reason"]))
	if line["reason"] == "ok" {
		reason, ok = wire.OK, true
	}
	names := validator.NamesOf(reason)
	switch {
	case !assert.True(t, ok, "%s: %v", what, line):
	case reason == wire.OK:
		_, excused := passes[f.Reason]
		assert.True(t, excused || s.policy == "report" && fits(f.Reason), "%s: passed on as success: %v", what, line)
		long := f.Reason == wire.TrailerTooLarge && strings.HasPrefix(host, "nethttp.") // longer than it reads
		assert.True(t, got.whole || long, what)
		assert.Less(t, got.status, 520, what)
		assert.Empty(t, got.proxyStatus, what)
		if !excused {
			counts.repaired.Add(1)
			assert.True(t, line["notes"] != nil || !wire.Tolerable.Has(f.Reason), "%s: what was repaired is noted: %v", what, line)
		}
	case s.policy == "report" && fits(f.Reason):
		assert.Fail(t, "refused though it is to be tolerated", "%s: %v", what, line)
	case !assert.Contains(t, append([]wire.Reason{f.Reason}, inTime[f.Reason]...), reason, "%s: %v", what, line):
	case got.status == names.EdgeStatus:
		counts.pages.Add(1)
		assert.True(t, got.whole, "%s: the page is whole", what)
		assert.Contains(t, got.proxyStatus, "error="+names.ProxyStatus, what)
		assert.Contains(t, got.proxyStatus, fmt.Sprintf("details=%q", reason.String()), what)
		assert.Contains(t, got.content, line["id"], what)
		assert.EqualValues(t, got.status, line["status"], what)
	default:
		counts.cuts.Add(1)
		assert.False(t, got.whole, "%s: %d %q passes for whole: %v", what, got.status, got.content, line)
		assert.Equal(t, "1", s.hold, "%s: cut within HoldContent: %v", what, line)
		assert.Equal(t, true, line["cut"], "%s: %v", what, line)
	}
}

// lineOf waits for the nth line of the log with that host, and gives it.
func (p *running) lineOf(t *testing.T, host string, n int) map[string]any {
	var found []string
	mark := fmt.Sprintf("\"host\":%q", host)
	for deadline := time.Now().Add(time.Minute); len(found) < n && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		found = found[:0]
		for line := range strings.Lines(p.out.String()) {
			if strings.Contains(line, mark) && strings.HasSuffix(line, "\n") {
				found = append(found, line)
			}
		}
	}
	if !assert.Len(t, found, n, "lines of %s", host) {
		return map[string]any{}
	}
	return asJSON(t, found[n-1])
}

// assertCountedOnce holds the metrics against the log: a line for each request, and
// each verdict once.
func assertCountedOnce(t *testing.T, p *running) {
	t.Helper()
	inLog := map[string]float64{}
	lines, sum := 0.0, 0.0
	for _, line := range verdicts(t, p.out.String()) {
		lines++
		if line["address"] != nil || line["edge_status"] != nil {
			inLog[line["reason"].(string)]++
		}
	}
	for reason, n := range inLog {
		sum += n
		assert.Equal(t, n, p.metric("why520_verdicts_total", "reason="+reason), reason)
	}
	requests, counted := p.totals(t)
	assert.Equal(t, sum, counted)
	assert.Equal(t, lines, requests)
}
