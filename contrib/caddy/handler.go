package why520

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"why520/validator"
	"why520/validator/edge"
)

func init() { caddy.RegisterModule(Handler{}) }

// A Handler answers for requests whose upstream failed, with a page that says what
// happened or with the last good copy. It is the module http.handlers.why520, and
// goes around a reverse_proxy whose transport is why520, or into handle_errors,
// where it gives pages but has no copies. Errors that are not that transport's
// pass on.
type Handler struct {
	// This proxy's name in Proxy-Status and Cache-Status. Default: why520.
	Name string `json:"name,omitempty"`

	// Answers with 502, 503, 504 and 500 as RFC 9209 recommends, in the place of
	// 520 to 526 and 530.
	Gateway bool `json:"gateway,omitempty"`

	// Whom to tell, on the page.
	Contact string `json:"contact,omitempty"`

	// What the type of a problem document (RFC 9457) begins with. Default:
	// urn:why520:reason:
	Types string `json:"types,omitempty"`

	// The file of an html/template in the place of the built-in page.
	Page string `json:"page,omitempty"`

	// Clients that are shown what was seen of the origin, addresses and bytes too:
	// ranges of addresses, or private_ranges. Default: nobody.
	Details []string `json:"details,omitempty"`

	// Lets a Proxy-Status trailer tell of content that fails, where it is safe
	// over HTTP/2.
	Trailers bool `json:"trailers,omitempty"`

	// Serves the last good copy in the place of the page.
	AlwaysOnline *AlwaysOnline `json:"always_online,omitempty"`

	answers edge.Answers
	online  *edge.AlwaysOnline
}

// CaddyModule says what h is.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.why520", New: func() caddy.Module { return new(Handler) }}
}

// Provision makes h ready.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.answers = edge.Answers{
		Name: h.Name, Gateway: h.Gateway, Contact: h.Contact, Types: h.Types, Trailers: h.Trailers,
	}
	if h.Page != "" {
		content, err := os.ReadFile(h.Page)
		if err != nil {
			return err
		}
		if h.answers.Page, err = template.New(filepath.Base(h.Page)).Parse(string(content)); err != nil {
			return err
		}
	}
	if len(h.Details) > 0 {
		in, err := ranges(h.Details)
		if err != nil {
			return err
		}
		h.answers.Details = func(r *http.Request) bool { return in(client(r)) }
	}
	if h.AlwaysOnline != nil {
		var err error
		if h.online, err = h.AlwaysOnline.provision(ctx, h.Name); err != nil {
			return err
		}
		h.answers.Good, h.answers.Stale = h.online.Keep, h.online.Serve
	}
	return nil
}

// Cleanup lets go of the store.
func (h *Handler) Cleanup() error {
	if h.AlwaysOnline == nil {
		return nil
	}
	return release(stores, h.AlwaysOnline.shared)
}

// ServeHTTP has next answer, or answers for an upstream that failed: next's, or
// the one whose error is being handled.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if err, ok := r.Context().Value(caddyhttp.ErrorCtxKey).(error); ok && answerable(err) {
		h.answers.ErrorHandler(w, r, err)
		return nil
	}
	if !r.ProtoAtLeast(1, 1) {
		defer resetIfAborted(w)
	}
	r = r.WithContext(context.WithValue(r.Context(), aroundKey{}, h))
	if h.online == nil {
		return h.serve(w, r, next)
	}
	asked, u := r.WithContext(r.Context()), *r.URL
	asked.URL = &u // as it is now: Caddy rewrites r's in place
	var err error
	h.online.Handler(http.HandlerFunc(func(w http.ResponseWriter, asked *http.Request) {
		r := r.WithContext(asked.Context())
		r.Body = asked.Body
		err = h.serve(w, r, next)
	})).ServeHTTP(w, asked)
	return err
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	err := next.ServeHTTP(w, r)
	if err == nil || !answerable(err) {
		return err
	}
	h.answers.ErrorHandler(w, r, err)
	return nil
}

// answerable reports whether err is the transport's.
func answerable(err error) bool {
	var failed *validator.Error
	var local *validator.LocalError
	return errors.As(err, &failed) || errors.As(err, &local)
}

// aroundKey is that of the Handler that a request came through last.
type aroundKey struct{}

// around gives the Handler that is around a request; nil: there is none.
func around(ctx context.Context) *Handler {
	h, _ := ctx.Value(aroundKey{}).(*Handler)
	return h
}

// client gives the address that Caddy takes for the client's.
func client(r *http.Request) netip.Addr {
	s, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, _ := netip.ParseAddr(s)
	return a.Unmap().WithZone("")
}

// ranges gives a test for addresses: those in one of the prefixes, addresses, or
// private_ranges.
func ranges(of []string) (func(netip.Addr) bool, error) {
	var prefixes []netip.Prefix
	private := false
	for _, s := range of {
		if s == "private_ranges" {
			private = true
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(s); err != nil {
				return nil, fmt.Errorf("details: %q is neither private_ranges nor an address or a range of them", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		prefixes = append(prefixes, p)
	}
	return func(a netip.Addr) bool {
		if private && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()) {
			return true
		}
		for _, p := range prefixes {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}, nil
}

// resetIfAborted turns the end of an aborted response into a reset, for a client
// of HTTP/1.0 may have no other sign that the content is cut; as edge.Handler.
func resetIfAborted(w http.ResponseWriter) {
	aborted := recover()
	if aborted == nil {
		return
	}
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		defer c.Close()
		for ; c != nil; c = below(c) { // of TLS too, so that no close_notify is sent
			if s, ok := c.(interface{ SetLinger(int) error }); ok {
				_ = s.SetLinger(0) // a socket that is gone already needs no reset
				_ = c.Close()
				break
			}
		}
	}
	panic(aborted)
}

// below gives the connection that c is made of; nil: none. Caddy's own connections
// embed it, and have no method that gives it.
func below(c net.Conn) net.Conn {
	if c, ok := c.(interface{ NetConn() net.Conn }); ok {
		return c.NetConn()
	}
	if v := reflect.Indirect(reflect.ValueOf(c)); v.Kind() == reflect.Struct {
		if f := v.FieldByName("Conn"); f.IsValid() && f.CanInterface() {
			c, _ := f.Interface().(net.Conn)
			return c
		}
	}
	return nil
}

var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
