package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"why520/validator"
	"why520/validator/edge"
)

// A generation is what one configuration comes to: the requests that began under
// it end under it.
type generation struct {
	config     *proxyConfig
	routes     []route // the most exact first
	transports []*validator.Transport
	inFlight   sync.WaitGroup
}

// A route leads to an origin.
type route struct {
	host, path string
	origin     string
	handler    http.Handler
}

// generation makes one of a configuration that was checked.
func (s *proxyServer) generation(c *proxyConfig) *generation {
	g := &generation{config: c}
	for i := range c.Origins {
		o := &c.Origins[i]
		t := s.transport(c, o)
		g.transports = append(g.transports, t)
		handler := s.handler(c, o, t)
		for _, h := range o.hosts() {
			g.routes = append(g.routes, route{h, o.Path, o.URL, handler})
		}
	}
	slices.SortStableFunc(g.routes, func(a, b route) int {
		if a.rank() != b.rank() {
			return b.rank() - a.rank()
		}
		if len(a.host) != len(b.host) {
			return len(b.host) - len(a.host)
		}
		return len(b.path) - len(a.path)
	})
	return g
}

// rank orders kinds of hosts: a name, all below one, any.
func (r *route) rank() int {
	switch {
	case r.host == "":
		return 0
	case strings.HasPrefix(r.host, "*."):
		return 1
	}
	return 2
}

func (r *route) leads(host, path string) bool {
	switch r.rank() {
	case 1:
		if !strings.HasSuffix(host, r.host[1:]) {
			return false
		}
	case 2:
		if r.host != host {
			return false
		}
	}
	return r.path == "" || path == r.path || strings.HasPrefix(path, r.path+"/")
}

// route finds where a request goes, or nil.
func (g *generation) route(r *http.Request) *route {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	for i := range g.routes {
		if g.routes[i].leads(host, r.URL.Path) {
			return &g.routes[i]
		}
	}
	return nil
}

// awaitLeave is how long an origin has to say 100 (Continue), or to refuse, where
// the client asked for that before it sends its content.
const awaitLeave = time.Second

// transport gives what asks an origin.
func (s *proxyServer) transport(c *proxyConfig, o *originConfig) *validator.Transport {
	policy := c.policy
	policy.Insecure = o.Insecure
	t := &validator.Transport{
		Policy: &policy, Deadlines: c.deadlines, HoldContent: int64(c.HoldContent), TLSClientConfig: o.tls,
		MaxConnsPerHost: o.MaxConns, ExpectContinueTimeout: awaitLeave, Recorder: &s.recorder,
		OnVerdict: func(r *http.Request, e *validator.Evidence, v *validator.Verdict) {
			x := exchangeOf(r.Context())
			s.count(x, v)
			if x != nil {
				x.onVerdict(e, v)
			}
		},
	}
	if o.ConnectTo != "" {
		var d net.Dialer
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			to := o.ConnectTo
			if _, _, err := net.SplitHostPort(to); err != nil {
				_, port, _ := net.SplitHostPort(address)
				to = net.JoinHostPort(strings.Trim(to, "[]"), port)
			}
			return d.DialContext(ctx, network, to)
		}
	}
	if s.tune != nil {
		s.tune(o, t)
	}
	return t
}

// count counts a verdict and its notes.
func (s *proxyServer) count(x *exchange, v *validator.Verdict) {
	for _, n := range v.Notes {
		s.metrics.notes.WithLabelValues(n.Reason.String()).Inc()
	}
	reason, status := x.blame(v)
	s.metrics.verdicts.WithLabelValues(reason, string(v.Cause), statusLabel(status)).Inc()
}

// handler gives who answers for an origin.
func (s *proxyServer) handler(c *proxyConfig, o *originConfig, t *validator.Transport) http.Handler {
	online := &edge.AlwaysOnline{Store: s.store, EdgeStatuses: c.Online, Banner: c.Banner, Logger: s.notes}
	h := &edge.Handler{
		Origin: o.url, Transport: asked{t},
		Answers: edge.Answers{
			Gateway: c.Status == http.StatusBadGateway, Contact: c.Contact, Logger: slog.New(failures{}), Good: online.Keep,
			Stale: func(w http.ResponseWriter, r *http.Request, v *validator.Verdict) bool {
				served := online.Serve(w, r, v)
				if x := exchangeOf(r.Context()); x != nil {
					x.stale = served
				}
				return served
			},
		},
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(o.url)
			p.Out.Host = p.In.Host
			if o.Host != "" {
				p.Out.Host = o.Host
			}
			p.SetXForwarded()
			p.Out.Header.Add("Via", fmt.Sprintf("%d.%d %s", p.In.ProtoMajor, p.In.ProtoMinor, s.pseudonym))
		},
	}
	return online.Handler(h)
}

// asked is a Transport that tells whose fault it is when content does not come, or
// when nobody waits for the response any more.
type asked struct{ *validator.Transport }

func (a asked) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.Transport.RoundTrip(r)
	x := exchangeOf(r.Context())
	failed := new(validator.Error)
	switch {
	case err == nil || x == nil:
	case x.content != nil && x.content.isSlow():
		x.failure = failureSeen{reason: "slow-client", err: errSlowClient.Error()}
		return instead(r, http.StatusRequestTimeout, "what was to be sent did not come in time"), nil
	case isEnding(r.Context()) && !errors.As(err, &failed):
		x.failure = failureSeen{reason: ending, err: errEnding.Error()}
		x.Header().Set("Connection", "close")
		response = instead(r, http.StatusServiceUnavailable, "this proxy is ending; another try may reach the next")
		response.Header.Set("Proxy-Status", fmt.Sprintf("why520; error=proxy_internal_error; details=%q", ending))
		return response, nil
	}
	return response, err
}

// instead gives a response in the place of the origin's.
func instead(r *http.Request, status int, text string) *http.Response {
	text = fmt.Sprintf("%d: %s\n", status, text)
	return &http.Response{
		Status: fmt.Sprint(status, " ", http.StatusText(status)), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Length": {strconv.Itoa(len(text))}, "Cache-Control": {"no-store"}},
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
	}
}

// ServeHTTP answers a client.
func (s *proxyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g := s.enter()
	defer g.inFlight.Done()
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	x, r := s.begin(w, r, g.config.Client)
	whole := false
	defer func() { // http.ErrAbortHandler goes on to net/http
		x.end(!whole)
		x.linger(!whole)
	}()
	to := g.route(r)
	switch {
	case r.Method == http.MethodConnect:
		x.refuse(http.StatusMethodNotAllowed, "connect", "http_request_denied", "this proxy stands before origins, and tunnels to no other place")
	case malformed(r):
		x.refuse(http.StatusBadRequest, "malformed-request", "http_request_error", "the method, the target or the host is malformed")
	case slices.ContainsFunc(r.Header["Via"], func(via string) bool { return strings.Contains(via, s.pseudonym) }):
		x.refuse(http.StatusLoopDetected, "loop", "proxy_loop_detected", "this request came through this proxy before: its origin leads back to it")
	case to == nil:
		x.refuse(http.StatusMisdirectedRequest, "no-origin", "destination_not_found", "no origin is set for this host and path")
	default:
		x.origin = to.origin
		to.handler.ServeHTTP(x, r)
	}
	whole = true
}

// malformed reports whether a request has what HTTP/1.1 cannot say, as HTTP/2 can: white
// space in its method or target, or a Host that is none. net/http's server looks only
// where it has a line of HTTP/1.1 before it.
func malformed(r *http.Request) bool {
	blank := func(c rune) bool { return c <= ' ' || c == 0x7f }
	return strings.ContainsFunc(r.Method, blank) || strings.ContainsFunc(r.RequestURI, blank) || !httpguts.ValidHostHeader(r.Host)
}

// refuse answers a request that no origin is asked for.
func (x *exchange) refuse(status int, reason, proxyError, text string) {
	h := x.Header()
	h.Set("Proxy-Status", fmt.Sprintf("why520; error=%s; details=%q", proxyError, reason))
	h.Set("Cache-Control", "no-store")
	x.failure = failureSeen{reason: reason, err: text}
	http.Error(x, fmt.Sprintf("%d: %s", status, text), status)
}

// enter gives the generation that answers now, which must be told when that is
// done.
func (s *proxyServer) enter() *generation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.current.inFlight.Add(1)
	return s.current
}

// become puts a generation in the place of the one before, whose connections are
// closed when nothing needs them any more.
func (s *proxyServer) become(g *generation) {
	s.mu.Lock()
	before := s.current
	s.current = g
	s.mu.Unlock()
	if before != nil {
		s.retiring.Go(before.retire)
	}
}

func (g *generation) retire() {
	g.inFlight.Wait()
	for _, t := range g.transports {
		t.CloseIdleConnections()
	}
}

// reload takes up a new configuration. Where it gives an error, all is as before.
func (s *proxyServer) reload() (err error) {
	defer func() { s.metrics.reload(err) }()
	c, err := s.load()
	if err != nil {
		return err
	}
	s.mu.RLock()
	before := s.current.config
	s.mu.RUnlock()
	if what := before.needsRestart(c); what != "" {
		return errors.New(what)
	}
	if err := s.certify(c); err != nil {
		return err
	}
	s.become(s.generation(c))
	return nil
}
