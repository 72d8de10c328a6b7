package validator

import (
	"bytes"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/idna"
)

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
	if !a.named {
		b = append(b, "User-Agent: Go-http-client/1.1\r\n"...)
	} else if a.agent != "" {
		b = appendField(b, "User-Agent", a.agent)
	}
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
	var protocol, option bool // both of which ask for an upgrade, RFC 9110 section 7.8
	for _, f := range a.fields {
		name, values := f.name, f.values
		for _, v := range values {
			b = appendField(b, name, v)
		}
		switch {
		case len(values) == 0:
		case strings.EqualFold(name, "Upgrade"):
			protocol = protocol || slices.ContainsFunc(values, namesProtocol)
		case strings.EqualFold(name, "Connection"):
			option = option || httpguts.HeaderValuesContainsToken(values, "Upgrade")
		case strings.EqualFold(name, "Expect"):
			a.wire.Expect = httpguts.HeaderValuesContainsToken(values, "100-continue")
		case framing(name): // a name that is not canonical
			return fmt.Errorf("validator: the request's Header must not have %q", name)
		}
	}
	a.wire.Upgrade = protocol && option
	a.awaits = a.wire.Expect && a.streamed && x.t.ExpectContinueTimeout > 0
	a.head = append(b, "\r\n"...)
	a.size = len(a.head)
	return nil
}

// namesProtocol reports whether an Upgrade field names any.
func namesProtocol(value string) bool { return strings.Trim(value, " \t,") != "" }

// framing reports whether name is of a field that says where a message ends or
// for whom it is: a request has it by other means.
func framing(name string) bool {
	switch len(name) { // a token, which is all ASCII
	case len("Host"):
		return strings.EqualFold(name, "Host")
	case len("Trailer"):
		return strings.EqualFold(name, "Trailer")
	case len("Content-Length"):
		return strings.EqualFold(name, "Content-Length")
	case len("Transfer-Encoding"):
		return strings.EqualFold(name, "Transfer-Encoding")
	}
	return false
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
