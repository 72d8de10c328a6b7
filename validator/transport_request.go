package validator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/idna"

	"why520/wire"
)

var (
	// These say what http.Transport says.
	errNoURL         = errors.New("http: nil Request.URL")
	errNoHeader      = errors.New("http: nil Request.Header")
	errNoHost        = errors.New("http: no Host in request URL")
	errTarget        = errors.New("validator: the request's URL holds a space or a control character")
	errNoContent     = errors.New("validator: the request has a ContentLength and no Body")
	errNoConnection  = errors.New("validator: the dial function gave neither a connection nor an error")
	errCannotRewind  = errors.New("validator: the connection was lost, and the request's content cannot be had anew")
	errTwoReads      = errors.New("validator: the content is being read already")
	errLeft          = errors.New("validator: the response was closed before its end")
	errNoCloseWrite  = errors.New("validator: the connection cannot be closed for writing alone")
	errTooManyIdle   = errors.New("validator: there are enough idle connections")
	errNotReusable   = errors.New("validator: the connection cannot be used again")
	errContentLength = errors.New("validator: the request's content is not as long as its ContentLength")
)

// oneGo is how much content, had from memory, goes with the head in one write.
const oneGo = 16 << 10

// An ask of a trip: outgoing is the request made ready.
type outgoing struct {
	head     []byte // and content, as far as it goes with it
	size     int    // bytes of the head
	length   int64  // of content; -1: unknown
	chunked  bool
	streamed bool // the content is sent by a goroutine of its own
	awaits   bool // 100 (Continue), before the content
	closes   bool // the request says that the connection ends with it
	wire     wire.Request
	keys     []string
}

// prepare makes the request ready, or says why it cannot be sent.
func (x *trip) prepare() error {
	req := x.req
	if x.t.settings().err != nil {
		return x.t.set.err
	}
	switch {
	case req.URL == nil:
		return errNoURL
	case req.Header == nil:
		return errNoHeader
	}
	if err := validFields("header", req.Header); err != nil {
		return err
	}
	if err := validFields("trailer", req.Trailer); err != nil {
		return err
	}
	switch x.key.tls = req.URL.Scheme == "https"; {
	case !x.key.tls && req.URL.Scheme != "http":
		return fmt.Errorf("validator: unsupported protocol scheme %q", req.URL.Scheme)
	case req.Method != "" && !isToken(req.Method):
		return fmt.Errorf("validator: invalid method %q", req.Method)
	case req.URL.Host == "":
		return errNoHost
	case req.ContentLength != 0 && req.Body == nil:
		return errNoContent
	}
	x.key.host = req.URL.Host
	a := &x.ask
	a.wire.Method = either(req.Method, http.MethodGet)
	x.replayable = x.mayReplay()
	if err := x.measureContent(); err != nil {
		return err
	}
	if err := x.writeHead(); err != nil {
		return err
	}
	return x.addContent()
}

// validFields refuses names and values that would not be one field each.
func validFields(what string, fields http.Header) error {
	for name, values := range fields {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("validator: invalid %s field name %.80q", what, name)
		}
		for _, v := range values {
			if !validValue(v) { // which may be a secret
				return fmt.Errorf("validator: invalid %s field value for %q", what, name)
			}
		}
	}
	return nil
}

// validValue reports whether v may be a field value: no control byte but HTAB.
func validValue(v string) bool {
	for i := range len(v) {
		if c := v[i]; c < ' ' && c != '\t' || c == 0x7F {
			return false
		}
	}
	return true
}

// mayReplay reports whether the request may be sent twice (RFC 9110 section
// 9.2.2), as far as its method goes.
func (x *trip) mayReplay() bool {
	switch x.ask.wire.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	h := x.req.Header
	return h["Idempotency-Key"] != nil || h["X-Idempotency-Key"] != nil
}

// measureContent decides how the content is delimited.
func (x *trip) measureContent() error {
	req, a := x.req, &x.ask
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		a.length = 0
	case req.ContentLength > 0:
		a.length = req.ContentLength
	default:
		a.length = -1
	}
	x.content = req.Body
	switch {
	case len(req.TransferEncoding) > 0 && strings.EqualFold(req.TransferEncoding[0], "chunked") && req.Body != nil:
		a.length, a.chunked = -1, true
	case a.length < 0 && a.wire.Method == http.MethodConnect:
	case a.length < 0 && seldomHasContent(a.wire.Method):
		if !x.probeContent() {
			a.length = 0
			return nil
		}
		a.chunked = true
	case a.length < 0:
		a.chunked = true
	}
	a.streamed = a.length != 0
	return nil
}

// seldomHasContent reports whether servers are confused by empty content of the
// method, so that it is looked for first.
func seldomHasContent(method string) bool {
	switch method {
	case "GET", "HEAD", "DELETE", "OPTIONS", "PROPFIND", "SEARCH":
		return true
	}
	return false
}

// writeHead writes the head of the request.
//
//	request-line = method SP request-target SP HTTP-version
//
// (RFC 9112 section 3.)
func (x *trip) writeHead() error {
	req, a := x.req, &x.ask
	host, err := hostOf(req)
	if err != nil {
		return err
	}
	b := append(a.head[:0], a.wire.Method...)
	b = append(b, ' ')
	from := len(b)
	b = appendTarget(b, req.URL, a.wire.Method, host)
	for _, c := range b[from:] {
		if c <= ' ' || c == 0x7F {
			return errTarget
		}
	}
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", host)
	if agents, ok := req.Header["User-Agent"]; !ok {
		b = append(b, "User-Agent: Go-http-client/1.1\r\n"...)
	} else if len(agents) > 0 && agents[0] != "" {
		b = appendField(b, "User-Agent", agents[0])
	}
	a.closes = httpguts.HeaderValuesContainsToken(req.Header["Connection"], "close")
	if (req.Close || x.t.DisableKeepAlives) && !a.closes {
		a.closes = true
		b = append(b, "Connection: close\r\n"...)
	}
	switch {
	case a.chunked:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case a.length > 0 || a.length == 0 && (a.wire.Method == "POST" || a.wire.Method == "PUT" || a.wire.Method == "PATCH"):
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, a.length, 10), "\r\n"...)
	}
	if a.chunked && len(req.Trailer) > 0 {
		if b, err = appendAnnouncement(b, req.Trailer); err != nil {
			return err
		}
	}
	a.keys = a.keys[:0]
	for name := range req.Header {
		switch name {
		case "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		}
		a.keys = append(a.keys, name)
	}
	slices.Sort(a.keys)
	for _, name := range a.keys {
		values := req.Header[name]
		for _, v := range values {
			b = appendField(b, name, v)
		}
		switch {
		case len(values) == 0:
		case strings.EqualFold(name, "Upgrade"):
			a.wire.Upgrade = true
		case strings.EqualFold(name, "Expect"):
			a.wire.Expect = httpguts.HeaderValuesContainsToken(values, "100-continue")
		case framing(name): // a name that is not canonical
			return fmt.Errorf("validator: the request's Header must not have %q", name)
		}
	}
	a.awaits = a.wire.Expect && a.streamed && x.t.ExpectContinueTimeout > 0
	a.head = append(b, "\r\n"...)
	a.size = len(a.head)
	return nil
}

// framing reports whether name is of a field that says where a message ends or
// for whom it is: a request has it by other means.
func framing(name string) bool {
	return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding") ||
		strings.EqualFold(name, "Trailer") || strings.EqualFold(name, "Host")
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, textproto.TrimString(value)...)
	return append(b, "\r\n"...)
}

// appendTarget appends the request target of u (RFC 9112 section 3.2).
func appendTarget(b []byte, u *url.URL, method, host string) []byte {
	switch {
	case method == http.MethodConnect && u.Path == "" && u.Opaque == "":
		return append(b, host...)
	case method == http.MethodConnect && u.Path == "":
		return append(b, u.Opaque...)
	case u.Opaque != "":
		return append(b, u.RequestURI()...)
	}
	from := len(b)
	b = append(b, u.EscapedPath()...)
	if len(b) == from {
		b = append(b, '/')
	}
	if u.ForceQuery || u.RawQuery != "" {
		b = append(append(b, '?'), u.RawQuery...)
	}
	return b
}

// appendAnnouncement appends the Trailer field.
func appendAnnouncement(b []byte, trailer http.Header) ([]byte, error) {
	var names []string
	for name := range trailer {
		name = http.CanonicalHeaderKey(name)
		if framing(name) {
			return b, fmt.Errorf("validator: the trailer must not have %q", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return appendField(b, "Trailer", strings.Join(names, ",")), nil
}

// hostOf gives the Host field of req: in ASCII and without a zone, and empty
// where it is not valid.
func hostOf(req *http.Request) (string, error) {
	host := either(req.Host, req.URL.Host)
	if !isASCII(host) {
		ascii, err := punycode(host)
		if err != nil {
			return "", err
		}
		host = ascii
	}
	if !httpguts.ValidHostHeader(host) {
		return "", nil
	}
	if zone := strings.IndexByte(host, '%'); zone > 0 && host[0] == '[' {
		if end := strings.LastIndexByte(host, ']'); end > zone {
			host = host[:zone] + host[end:]
		}
	}
	return host, nil
}

func punycode(host string) (string, error) {
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		name, port = host[:i], host[i:]
	}
	ascii, err := idna.Lookup.ToASCII(name)
	return ascii + port, err
}

// addContent puts content that is in memory, and short, behind the head.
func (x *trip) addContent() error {
	a := &x.ask
	if a.length <= 0 || a.length > oneGo || x.req.GetBody == nil || a.awaits {
		return nil
	}
	a.head = slices.Grow(a.head, int(a.length)+1)
	into := a.head[a.size : a.size+int(a.length)+1]
	n, err := io.ReadFull(x.content, into)
	if int64(n) != a.length || err != io.ErrUnexpectedEOF {
		if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errContentLength
		}
		return fmt.Errorf("reading the request's content: %w", err)
	}
	a.head = a.head[:a.size+n]
	a.streamed = false
	x.closeContent()
	return nil
}

// traceHead tells of the head that was written.
func (x *trip) traceHead() {
	lines := x.ask.head[:x.ask.size]
	if x.trace.WroteHeaderField != nil {
		_, lines, _ = bytes.Cut(lines, []byte("\r\n"))
		var name string
		var values []string
		for len(lines) > 2 {
			line, rest, _ := bytes.Cut(lines, []byte("\r\n"))
			n, v, _ := strings.Cut(string(line), ": ")
			if n != name && name != "" {
				x.trace.WroteHeaderField(name, values)
				values = nil
			}
			name, values, lines = n, append(values, v), rest
		}
		x.trace.WroteHeaderField(name, values)
	}
	if x.trace.WroteHeaders != nil {
		x.trace.WroteHeaders()
	}
}
