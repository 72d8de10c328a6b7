package edge

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
)

// A passing is the ResponseWriter that what comes from an origin goes through.
type passing struct {
	http.ResponseWriter
	old   bool // HTTP/1.0
	final bool // the final status was written
}

func (w *passing) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		if !w.old { // RFC 9110 section 15.2: HTTP/1.0 has no interim responses
			w.ResponseWriter.WriteHeader(status)
		}
		return
	}
	if h := w.Header(); !w.final && len(h["Content-Type"]) == 0 {
		h["Content-Type"] = nil // nobody guesses what the origin did not say
	}
	w.final = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *passing) Write(b []byte) (int, error) {
	if !w.final {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *passing) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack hands the connection over. What came of the new protocol already is read
// from it, too: httputil.ReverseProxy does not look at the buffer.
func (w *passing) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, b, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && b.Reader.Buffered() > 0 {
		early, _ := b.Reader.Peek(b.Reader.Buffered()) // it is there
		c = &begun{c, io.MultiReader(bytes.NewReader(bytes.Clone(early)), c)}
	}
	return c, b, err
}

// begun is a connection of which the first bytes were read before.
type begun struct {
	net.Conn
	r io.Reader
}

func (c *begun) Read(b []byte) (int, error) { return c.r.Read(b) }

// CloseWrite is for httputil.ReverseProxy.
func (c *begun) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// pass makes of the request to the origin what is the same however it is
// rewritten.
func pass(p *httputil.ProxyRequest) {
	p.Out.URL.RawQuery = p.In.URL.RawQuery // the origin judges it; nothing of it is looked at here
	p.Out.Trailer = p.In.Trailer           // filled when the content is at its end
	limitUpgrade(p.Out.Header, p.In.ProtoAtLeast(1, 1))
	if n, ok := maxForwards(p.In); ok && n > 0 {
		p.Out.Header.Set("Max-Forwards", strconv.FormatUint(n-1, 10))
	}
}

// limitUpgrade takes from Upgrade what would be HTTP again, in other forms: requests
// within would pass by all that routes, limits and logs do here. RFC 9110 section 7.8
// leaves to an intermediary what it passes on; of HTTP/1.0 it must be nothing.
func limitUpgrade(h http.Header, may bool) {
	h.Del("Http2-Settings")
	var kept []string
	for protocol := range strings.SplitSeq(h.Get("Upgrade"), ",") {
		protocol = strings.Trim(protocol, " \t")
		name, _, _ := strings.Cut(strings.ToLower(protocol), "/")
		switch name {
		case "", "h2c", "h2", "http", "tls":
		default:
			kept = append(kept, protocol)
		}
	}
	if len(kept) == 0 || !may {
		h.Del("Upgrade")
		h.Del("Connection") // which has nothing else
		return
	}
	h.Set("Upgrade", strings.Join(kept, ", "))
}

// maxForwards reads
//
//	Max-Forwards = 1*DIGIT
//
// where it is for proxies, RFC 9110 section 7.6.2.
func maxForwards(r *http.Request) (n uint64, ok bool) {
	if r.Method != http.MethodOptions && r.Method != http.MethodTrace || len(r.Header["Max-Forwards"]) != 1 {
		return 0, false
	}
	s := r.Header.Get("Max-Forwards")
	if strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// answerHere answers a request that goes no further, because of Max-Forwards. What
// TRACE would show is not only the client's: fields that others added on the way.
func answerHere(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodTrace {
		http.Error(w, "501: this proxy does not answer TRACE itself", http.StatusNotImplemented)
		return
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}
