package validator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

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
	errHTTP2         = errors.New("validator: DialTLSContext agreed on HTTP/2 with the origin, which is not spoken here")
	errTwoReads      = errors.New("validator: the content is being read already")
	errLeft          = errors.New("validator: the response was closed before its end")
	errNoCloseWrite  = errors.New("validator: the connection cannot be closed for writing alone")
	errTooManyIdle   = errors.New("validator: there are enough idle connections")
	errNotReusable   = errors.New("validator: the connection cannot be used again")
	errContentLength = errors.New("validator: the request's content is not as long as its ContentLength")
)

// oneGo is how much content, had from memory, goes with the head in one write.
const oneGo = 16 << 10

// An outgoing is a request made ready.
type outgoing struct {
	head     []byte // and content, as far as it goes with it
	size     int    // bytes of the head
	length   int64  // of content; -1: unknown
	chunked  bool
	streamed bool // the content is sent by a goroutine of its own
	awaits   bool // 100 (Continue), before the content
	closes   bool // the request says that the connection ends with it
	wire     wire.Request
	agent    string  // value of the User-Agent field
	named    bool    // agent is given, and may be empty: then there is no such field
	fields   []field // of the header, but for those that stand first or are not its own
}

// A field is what an http.Header has of one name.
type field struct {
	name   string
	values []string
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
	if err := x.ask.take(req.Header); err != nil {
		return err
	}
	for name, values := range req.Trailer {
		if err := validField("trailer", name, values); err != nil {
			return err
		}
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

// take takes the fields of a header, in the order of their names.
func (a *outgoing) take(header http.Header) error {
	for name, values := range header {
		if err := validField("header", name, values); err != nil {
			return err
		}
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		case "User-Agent":
			if a.named = true; len(values) > 0 {
				a.agent = values[0]
			}
			continue
		case "Connection":
			a.closes = httpguts.HeaderValuesContainsToken(values, "close")
		}
		a.fields = append(a.fields, field{name, values})
	}
	slices.SortFunc(a.fields, func(f, g field) int { return strings.Compare(f.name, g.name) })
	return nil
}

// validField refuses a name and values that would not be one field each.
func validField(what, name string, values []string) error {
	if !httpguts.ValidHeaderFieldName(name) {
		return fmt.Errorf("validator: invalid %s field name %.80q", what, name)
	}
	for _, v := range values {
		if !validValue(v) { // which may be a secret
			return fmt.Errorf("validator: invalid %s field value for %q", what, name)
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

var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(&bytes.Reader{}))
)

// inMemory reports whether a Read of content cannot wait, as http.NewRequest
// makes it of what it knows.
func inMemory(content io.Reader) bool {
	switch reflect.TypeOf(content) {
	case nopCloser, nopCloserWriterTo:
		content, _ = reflect.ValueOf(content).Field(0).Interface().(io.Reader)
	}
	switch content.(type) {
	case *bytes.Buffer, *bytes.Reader, *strings.Reader:
		return true
	}
	return false
}

// addContent puts content that is in memory, and short, behind the head.
func (x *trip) addContent() error {
	a := &x.ask
	if a.length <= 0 || a.length > oneGo || a.awaits || !inMemory(x.content) {
		return nil
	}
	a.head = slices.Grow(a.head, int(a.length)+1)
	into := a.head[a.size : a.size+int(a.length)+1]
	n, err := io.ReadFull(x.content, into)
	if int64(n) != a.length || err != io.ErrUnexpectedEOF {
		if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errContentLength
		}
		return &ContentError{err}
	}
	a.head = a.head[:a.size+n]
	a.streamed = false
	x.closeContent()
	return nil
}
