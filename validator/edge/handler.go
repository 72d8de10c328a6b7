package edge

import (
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// A Handler is a reverse proxy to one origin. Origin is needed; its fields must
// not change once it has served a request.
type Handler struct {
	Answers

	Origin    *url.URL          // scheme and host; its path goes before the request's
	Transport http.RoundTripper // nil: http.DefaultTransport, which knows little of why an exchange failed

	// Rewrite, if set, makes the request to the origin, as
	// httputil.ReverseProxy.Rewrite does, save that the query is as it came,
	// trailers are passed on, Max-Forwards is one less, and Upgrade names no HTTP
	// (h2c) or TLS, within which requests would come by unseen. nil: the URL is put
	// under Origin, the client's Host stays, and X-Forwarded-For, -Host and -Proto
	// are set.
	Rewrite func(*httputil.ProxyRequest)

	once  sync.Once
	proxy httputil.ReverseProxy
}

// ServeHTTP asks the origin, and passes its response on or answers for it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.once.Do(h.prepare)
	if n, ok := maxForwards(r); ok && n == 0 {
		answerHere(w, r)
		return
	}
	old := !r.ProtoAtLeast(1, 1)
	if old {
		defer resetIfAborted(w)
	}
	h.proxy.ServeHTTP(&passing{ResponseWriter: w, old: old}, r)
}

func (h *Handler) prepare() {
	h.proxy = httputil.ReverseProxy{
		Rewrite: h.rewrite, Transport: h.Transport,
		ErrorHandler: h.ErrorHandler, ModifyResponse: h.ModifyResponse,
		BufferPool: buffers{},
		ErrorLog:   log.New(discard{}, "", 0), // ModifyResponse tells Logger of what would stand there
	}
}

// rewrite makes the request to the origin.
func (h *Handler) rewrite(p *httputil.ProxyRequest) {
	pass(p)
	if h.Rewrite != nil {
		h.Rewrite(p)
		return
	}
	p.SetURL(h.Origin)
	p.Out.Host = p.In.Host
	p.SetXForwarded()
}

// buffers is an httputil.BufferPool of what content is copied through.
type buffers struct{}

var pooled = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (buffers) Get() []byte  { return pooled.Get().(*[32 << 10]byte)[:] }
func (buffers) Put(b []byte) { pooled.Put((*[32 << 10]byte)(b)) }

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// resetIfAborted turns the end of an aborted response into a reset. A client of
// HTTP/1.0 may have no other sign that the content is cut: the end of the
// connection ends it. It needs a w that can be hijacked, as net/http's can.
func resetIfAborted(w http.ResponseWriter) {
	aborted := recover()
	if aborted == nil {
		return
	}
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		defer c.Close()
		if s, ok := c.(interface{ NetConn() net.Conn }); ok {
			c = s.NetConn() // below TLS, so that no close_notify is sent
			defer c.Close()
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a socket that is gone already needs no reset
		}
	}
	panic(aborted)
}
