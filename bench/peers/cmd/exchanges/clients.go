package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"why520/validator"
)

// A client is one of those that are measured.
type client struct {
	name string
	open func(origin string) (hire func() worker, end func())
	trip func() roundTripper // nil: it cannot be within a ReverseProxy
}

// A worker asks again and again, one request at a time.
type worker func() error

type roundTripper interface {
	http.RoundTripper
	CloseIdleConnections()
}

// most is the most connections of a setting.
const most = 256

// The first of each is what the others are compared with.
var (
	clients = []client{
		{"net/http", open(netHTTP), netHTTP}, {"Transport", open(transport), transport}, {"net/http, Conn", open(guarded), guarded},
		{"fasthttp", openFast, nil}, {"net.Conn", openRaw, nil},
	}
	proxies = clients[:3]
)

func netHTTP() roundTripper {
	return &http.Transport{MaxIdleConns: most, MaxIdleConnsPerHost: most, DisableCompression: true}
}

func transport() roundTripper { return &validator.Transport{} }

// guarded is net/http's with a validator.Conn around each of its connections.
func guarded() roundTripper {
	return new(validator.Guard).Around(netHTTP().(*http.Transport)).(roundTripper)
}

// open gives a client's open of the RoundTripper that it is.
func open(trip func() roundTripper) func(string) (func() worker, func()) {
	return func(origin string) (hire func() worker, end func()) {
		t := trip()
		return func() worker { return tripWorker(t, origin) }, t.CloseIdleConnections
	}
}

// tripWorker has one request, which it gives to t again and again.
func tripWorker(t http.RoundTripper, origin string) worker {
	req := &http.Request{
		Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: origin, Path: "/page"},
		Header: http.Header{"User-Agent": {"client"}, "Accept": {"*/*"}},
	}
	buf := make([]byte, 1<<10)
	return func() error {
		res, err := t.RoundTrip(req)
		if err != nil {
			return err
		}
		n := 0
		for err == nil {
			var k int
			k, err = res.Body.Read(buf[n:])
			n += k
		}
		if res.Body.Close(); err != io.EOF || res.StatusCode != http.StatusOK || string(buf[:n]) != content {
			return fmt.Errorf("status %d, content %q: %w", res.StatusCode, buf[:n], err)
		}
		return nil
	}
}

func openFast(origin string) (hire func() worker, end func()) {
	h := &fasthttp.HostClient{Addr: origin, MaxConns: most}
	return func() worker { return fastWorker(h, origin) }, h.CloseIdleConnections
}

func fastWorker(h *fasthttp.HostClient, origin string) worker {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	req.SetRequestURI("http://" + origin + "/page")
	req.Header.SetUserAgent("client")
	req.Header.Set("Accept", "*/*")
	return func() error {
		if err := h.Do(req, res); err != nil {
			return err
		}
		if res.StatusCode() != http.StatusOK || string(res.Body()) != content {
			return fmt.Errorf("status %d, content %q", res.StatusCode(), res.Body())
		}
		return nil
	}
}

// openRaw is no client: it writes the same request and reads as many bytes as
// will come, which is the least that any client in Go can do.
func openRaw(origin string) (hire func() worker, end func()) {
	var all []net.Conn
	hire = func() worker {
		c, err := net.Dial("tcp", origin)
		if err != nil {
			return func() error { return err }
		}
		all = append(all, c)
		request := []byte("GET /page HTTP/1.1\r\nHost: " + origin + "\r\nUser-Agent: client\r\nAccept: */*\r\n\r\n")
		buf := make([]byte, len(answer))
		return func() error {
			if _, err := c.Write(request); err != nil {
				return err
			}
			_, err := io.ReadFull(c, buf)
			return err
		}
	}
	return hire, func() {
		for _, c := range all {
			c.Close()
		}
	}
}

// proxy starts a ReverseProxy with c inside, which listens at address and counts
// what it was asked.
func (c *client) proxy(origin string, count *atomic.Int64) (address string, end func(), err error) {
	t := c.trip()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	to := &url.URL{Scheme: "http", Host: origin}
	proxy := &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:  t,
		BufferPool: &buffers{},
	}
	s := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy.ServeHTTP(w, r)
		count.Add(1)
	})}
	go s.Serve(l) // until Shutdown
	return l.Addr().String(), func() {
		s.Shutdown(context.Background())
		t.CloseIdleConnections()
	}, nil
}

// buffers is what ReverseProxy copies content through.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
