package validator

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// A TargetError is a Target that cannot be asked as it stands.
type TargetError struct {
	Field string // of Target
	Value string
	Want  string // what it should be
}

func (e *TargetError) Error() string {
	return fmt.Sprintf("%s %.80q: want %s", e.Field, e.Value, e.Want)
}

// An ask is a target made ready: where to dial, and the bytes to send.
type ask struct {
	target   Target
	dialHost string
	dialPort uint16
	tls      bool
	sni      string
	head     []byte // of the request
	facts    RequestFacts
}

// newAsk checks t and writes its request.
func (p *Prober) newAsk(t Target) (*ask, error) {
	if err := p.Policy.Limits.Check(); err != nil {
		return nil, err
	}
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &TargetError{"URL", t.URL, "http://HOST[:PORT]/PATH or https://..."}
	}
	a := &ask{target: t, tls: u.Scheme == "https", dialHost: u.Hostname()}
	port := u.Port()
	if port == "" {
		port = map[bool]string{false: "80", true: "443"}[a.tls]
	}
	if t.ConnectTo != "" {
		if a.dialHost, port, err = splitHostPort(t.ConnectTo, port); err != nil {
			return nil, err
		}
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return nil, &TargetError{"port", port, "a number from 1 to 65535"}
	}
	a.dialPort = uint16(number)
	if err := a.write(t, u); err != nil {
		return nil, err
	}
	a.sni = t.SNI
	if a.sni == "" {
		a.sni = a.facts.Host
		if host, _, err := net.SplitHostPort(a.sni); err == nil {
			a.sni = host
		}
		a.sni = strings.Trim(a.sni, "[]")
	}
	return a, nil
}

// splitHostPort takes HOST[:PORT], an IPv6 address with or without brackets.
func splitHostPort(s, port string) (host, p string, err error) {
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return ip.String(), port, nil
	}
	if !strings.Contains(s, ":") {
		return s, port, nil
	}
	host, p, err = net.SplitHostPort(s)
	if err != nil || host == "" {
		return "", "", &TargetError{"address to connect to", s, "HOST or HOST:PORT"}
	}
	return host, p, nil
}

// write makes the request's head.
func (a *ask) write(t Target, u *url.URL) error {
	method := t.Method
	if method == "" {
		method = "GET"
		if t.Body != nil || t.Upload > 0 {
			method = "POST"
		}
	}
	if !isToken(method) {
		return &TargetError{"method", method, "a token such as GET"}
	}
	host := t.Host
	if host == "" {
		host = u.Host
	}
	target := u.RequestURI()
	if method == "CONNECT" {
		target = host
	}
	fields := []Field{{"Host", host}, {"User-Agent", t.UserAgent}, {"Accept", "*/*"}}
	if t.UserAgent == "" {
		fields[1].Value = "why520"
	}
	if t.Upgrade != "" {
		fields = append(fields, Field{"Connection", "Upgrade"}, Field{"Upgrade", t.Upgrade})
		if strings.EqualFold(t.Upgrade, "websocket") {
			fields = append(fields, Field{"Sec-WebSocket-Version", "13"}, Field{"Sec-WebSocket-Key", "d2h5NTIwIHByb2JlIGtleQ=="})
		}
	}
	size := t.Upload
	if t.Body != nil {
		size = int64(len(t.Body))
	}
	if t.Body != nil || t.Upload > 0 {
		fields = append(fields, Field{"Content-Length", strconv.FormatInt(size, 10)})
	}
	for _, f := range t.Fields {
		fields = put(fields, f)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	a.facts = RequestFacts{Method: method, Target: target, Upload: size}
	var protocol, option bool // both of which ask for an upgrade, RFC 9110 section 7.8
	for _, f := range fields {
		if !isToken(f.Name) {
			return &TargetError{"field name", f.Name, "a token such as Accept"}
		}
		if strings.ContainsAny(f.Value, "\r\n\x00") {
			return &TargetError{"value of " + f.Name, f.Value, "no CR, LF or NUL"}
		}
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
		switch strings.ToLower(f.Name) {
		case "host":
			a.facts.Host = f.Value
			continue
		case "upgrade":
			protocol = protocol || namesProtocol(f.Value)
		case "connection":
			option = option || httpguts.HeaderValuesContainsToken([]string{f.Value}, "Upgrade")
		case "expect":
			a.facts.Expect = strings.EqualFold(f.Value, "100-continue")
		}
		a.facts.Fields = append(a.facts.Fields, f.Name+": "+maskField(f.Name, f.Value))
	}
	a.facts.Upgrade = protocol && option
	b.WriteString("\r\n")
	a.head = b.Bytes()
	a.facts.Size = int64(len(a.head)) + size
	return nil
}

// put replaces the field of that name that the request has by itself, or adds f.
func put(fields []Field, f Field) []Field {
	const own = 3 // Host, User-Agent, Accept come once
	for i := range min(own, len(fields)) {
		if strings.EqualFold(fields[i].Name, f.Name) {
			fields[i].Value = f.Value
			return fields
		}
	}
	for i := own; i < len(fields); i++ {
		if strings.EqualFold(fields[i].Name, f.Name) && (strings.EqualFold(f.Name, "Content-Length") || strings.EqualFold(f.Name, "Connection")) {
			fields[i].Value = f.Value
			return fields
		}
	}
	return append(fields, f)
}

// isToken reports whether s is a token (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	for _, c := range []byte(s) {
		alnum := '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		if !alnum && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// evidence begins the evidence of one request.
func (a *ask) evidence(p *Prober) *Evidence {
	e := newEvidence(p.Policy)
	e.Target, e.Request = a.target.URL, a.facts
	return e
}
