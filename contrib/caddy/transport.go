// Package why520 puts why520 into Caddy: a transport for reverse_proxy that knows
// why an origin's response was refused, and a handler that says so to the visitor
// or serves the last good copy.
//
//	http.reverse_proxy.transport.why520   transport why520 { ... }   [Transport]
//	http.handlers.why520                  why520 { ... }             [Handler]
//	admin.api.why520                      GET /why520/evidence/ID
//
// Each works without the other. With the transport alone, Caddy answers 502, or
// 504 for a timeout, and the log says why. The handler alone has nothing to tell:
// it passes on what is no failure of this transport.
package why520

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"why520/validator"
	"why520/wire"
)

func init() { caddy.RegisterModule(Transport{}) }

// A Transport asks upstreams over HTTP/1.1, and validates what they answer. It is
// the module http.reverse_proxy.transport.why520. Fields that Caddy's own
// transport, http, has too, have its names, and mean the same.
type Transport struct {
	// What is refused: "report" repairs and reports what can be tolerated and
	// lets heads have 128 KiB; "strict" refuses every violation; the name of an
	// edge, such as "nginx", is strict with its budgets. Default: report.
	Policy string `json:"policy,omitempty"`

	// Budgets in the place of the policy's. Zero: the policy's. What is tolerated adds
	// to what the policy does.
	Limits wire.Limits `json:"limits,omitzero"`

	// How many bytes of content are read and verified before anything is passed
	// on, so that its faults, too, become an error. Default: none.
	HoldContent int64 `json:"hold_content,omitempty"`

	// Keeps the evidence of exchanges that failed, for the admin endpoint.
	// Default: none is kept.
	Recorder *Recorder `json:"recorder,omitempty"`

	// TLS to the upstream; an empty object enables it. The server name may have
	// no placeholders.
	TLS *reverseproxy.TLSConfig `json:"tls,omitempty"`

	// Connections that are kept for the next request.
	KeepAlive *reverseproxy.KeepAlive `json:"keep_alive,omitempty"`

	// Resolves the names of upstreams. Default: the system.
	Resolver *reverseproxy.UpstreamResolver `json:"resolver,omitempty"`

	// Connections to one upstream; above that, requests wait. Default: no limit.
	MaxConnsPerHost int `json:"max_conns_per_host,omitempty"`

	// To resolve and connect. Default: 3s.
	DialTimeout caddy.Duration `json:"dial_timeout,omitempty"`

	// Until another address family is tried as well. Default: 300ms.
	FallbackDelay caddy.Duration `json:"dial_fallback_delay,omitempty"`

	// Without progress in sending. Default: no limit.
	WriteTimeout caddy.Duration `json:"write_timeout,omitempty"`

	// From the end of the request to the first byte of the response. Default: no
	// limit.
	FirstByteTimeout caddy.Duration `json:"first_byte_timeout,omitempty"`

	// From the end of the request to the end of the response's head. Default: no
	// limit.
	ResponseHeaderTimeout caddy.Duration `json:"response_header_timeout,omitempty"`

	// Between two reads. Default: no limit.
	ReadTimeout caddy.Duration `json:"read_timeout,omitempty"`

	// For the whole exchange. Default: no limit.
	TotalTimeout caddy.Duration `json:"total_timeout,omitempty"`

	// How long 100 (Continue) is waited for before the content of a request that
	// expects it is sent. Default: not at all.
	ExpectContinueTimeout caddy.Duration `json:"expect_continue_timeout,omitempty"`

	transport *validator.Transport
	told      *teller
	recorder  any // the key of the shared one; nil: there is none
}

// CaddyModule says what t is.
func (Transport) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.reverse_proxy.transport.why520",
		New: func() caddy.Module { return new(Transport) },
	}
}

// Provision makes t ready.
func (t *Transport) Provision(ctx caddy.Context) error {
	policy, err := t.policy()
	if err != nil {
		return err
	}
	v := &validator.Transport{
		Policy:      &policy,
		HoldContent: t.HoldContent,
		Deadlines: validator.Deadlines{
			Connect: time.Duration(t.DialTimeout), Write: time.Duration(t.WriteTimeout),
			FirstByte: time.Duration(t.FirstByteTimeout), Head: time.Duration(t.ResponseHeaderTimeout),
			Idle: time.Duration(t.ReadTimeout), Total: time.Duration(t.TotalTimeout),
		},
		ExpectContinueTimeout: time.Duration(t.ExpectContinueTimeout),
		MaxConnsPerHost:       t.MaxConnsPerHost,
	}
	if t.DialTimeout == 0 {
		v.Deadlines.Connect = 3 * time.Second
	}
	if t.TLS != nil {
		if strings.Contains(t.TLS.ServerName, "{") {
			return fmt.Errorf("the server name %q: placeholders are not known to this transport", t.TLS.ServerName)
		}
		v.Deadlines.TLS = time.Duration(t.TLS.HandshakeTimeout)
		if v.TLSClientConfig, err = t.TLS.MakeTLSClientConfig(ctx); err != nil {
			return fmt.Errorf("TLS to the upstream: %w", err)
		}
	}
	if k := t.KeepAlive; k != nil {
		v.DisableKeepAlives = k.Enabled != nil && !*k.Enabled
		v.MaxIdleConns, v.MaxIdleConnsPerHost = k.MaxIdleConns, k.MaxIdleConnsPerHost
		v.IdleConnTimeout = time.Duration(k.IdleConnTimeout)
	}
	if v.DialContext, err = t.dialer(); err != nil {
		return err
	}
	if t.told, err = newTeller(ctx); err != nil {
		return err
	}
	v.OnVerdict = t.told.verdict
	if t.Recorder != nil {
		v.Recorder, t.recorder = t.Recorder.share()
	}
	t.transport = v
	return nil
}

// policy gives the policy that the fields come to.
func (t *Transport) policy() (validator.Policy, error) {
	var p validator.Policy
	switch t.Policy {
	case "", "report":
		p = validator.Report()
	case "strict":
	default:
		e, ok := validator.EdgeByName(t.Policy)
		if !ok {
			return p, fmt.Errorf("policy %q: want strict, report, or one of %s", t.Policy, strings.Join(edgeNames(), ", "))
		}
		p = validator.Like(e)
	}
	l := &p.Limits
	for _, b := range []struct {
		to   *int
		from int
	}{
		{&l.Head, t.Limits.Head}, {&l.Line, t.Limits.Line}, {&l.Fields, t.Limits.Fields}, {&l.Interim, t.Limits.Interim},
		{&l.ChunkLine, t.Limits.ChunkLine}, {&l.Trailer, t.Limits.Trailer}, {&l.Measure, t.Limits.Measure},
	} {
		if b.from != 0 {
			*b.to = b.from
		}
	}
	if t.Limits.Body != 0 {
		l.Body = t.Limits.Body
	}
	for i, some := range t.Limits.Tolerate {
		l.Tolerate[i] |= some
	}
	return p, l.Check()
}

func edgeNames() []string {
	var names []string
	for _, e := range validator.Edges() {
		names = append(names, e.Name)
	}
	return names
}

// Cleanup closes what no request is using. Requests of the configuration that ends
// go on; Caddy waits for them.
func (t *Transport) Cleanup() error {
	if t.transport != nil {
		t.transport.CloseIdleConnections()
	}
	return release(recorders, t.recorder)
}

// RoundTrip asks the upstream that reverse_proxy chose.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.setScheme(r)
	resp, err := t.transport.RoundTrip(r)
	if err != nil {
		return nil, t.failure(r, err)
	}
	if h := around(r.Context()); h != nil && !asksForLeave(r) {
		if err := h.answers.ModifyResponse(resp); err != nil {
			return nil, errors.Join(err, resp.Body.Close())
		}
	}
	return resp, nil
}

// asksForLeave reports whether r is forward_auth's, whose response is not what the
// client asked for: it must not be kept as that. A client that sends such fields
// has its own response not kept.
func asksForLeave(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header["X-Forwarded-Method"] != nil && r.Header["X-Forwarded-Uri"] != nil
}

func (t *Transport) setScheme(r *http.Request) {
	switch {
	case r.URL.Scheme != "":
	case t.encrypts(r.URL.Port()):
		r.URL.Scheme = "https"
	default:
		r.URL.Scheme = "http"
	}
}

// encrypts reports whether an upstream on that port is asked within TLS.
func (t *Transport) encrypts(port string) bool {
	return t.TLS != nil && !slices.Contains(t.TLS.ExceptPorts, port)
}

// TLSEnabled implements reverseproxy.TLSTransport.
func (t *Transport) TLSEnabled() bool { return t.TLS != nil }

// EnableTLS implements reverseproxy.TLSTransport.
func (t *Transport) EnableTLS(base *reverseproxy.TLSConfig) error {
	t.TLS = base
	return nil
}

// OverrideHealthCheckScheme implements
// reverseproxy.HealthCheckSchemeOverriderTransport.
func (t *Transport) OverrideHealthCheckScheme(base *url.URL, port string) {
	if t.encrypts(port) {
		base.Scheme = "https"
	}
}

// RequestHeaderOps implements reverseproxy.RequestHeaderOpsTransport: within TLS,
// Host is the upstream's unless the configuration says otherwise, as with Caddy's
// own transport.
func (t *Transport) RequestHeaderOps() *headers.HeaderOps {
	if t.TLS == nil {
		return nil
	}
	return &headers.HeaderOps{Set: http.Header{"Host": {"{http.reverse_proxy.upstream.hostport}"}}}
}

var (
	_ caddy.Provisioner                                = (*Transport)(nil)
	_ caddy.CleanerUpper                               = (*Transport)(nil)
	_ http.RoundTripper                                = (*Transport)(nil)
	_ reverseproxy.TLSTransport                        = (*Transport)(nil)
	_ reverseproxy.HealthCheckSchemeOverriderTransport = (*Transport)(nil)
	_ reverseproxy.RequestHeaderOpsTransport           = (*Transport)(nil)
)
