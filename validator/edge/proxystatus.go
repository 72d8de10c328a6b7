package edge

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"strings"

	"why520/validator"
	"why520/wire"
)

// proxyStatus gives this proxy's member of Proxy-Status (RFC 9209 section 2):
//
//	Proxy-Status = sf-list
//
// with one item, the proxy's name, and its parameters. Numbers that were measured
// are in it; names and other bytes of the origin only where f.Seen is.
func (a *Answers) proxyStatus(f *Failure) string {
	m := newMember(a.name())
	m.token("error", f.proxyError)
	details := f.Reason
	if f.Reason == RequestFault {
		m.integer("status-code", int64(f.Status))
	}
	if f.failed != nil {
		if e := f.failed.Evidence; e != nil {
			m.received(e)
			m.extra(f.proxyError, f.failed.Verdict, e, f.Seen != nil)
		}
		if f.Seen != nil {
			details += ": " + f.failed.Verdict.Message
		}
	}
	m.string("details", details)
	return m.String()
}

// received adds the status that the origin sent, if it is one.
func (m *member) received(e *validator.Evidence) {
	if e.Response == nil || e.Response.Head == nil {
		return
	}
	if s := e.Response.Head.Status; s >= 200 || s == http.StatusSwitchingProtocols { // else an interim response
		m.integer("received-status", int64(s))
	}
}

// extra adds the parameters that the type of the error has for itself. Those that
// the facts do not give are left out.
func (m *member) extra(proxyError string, v *validator.Verdict, e *validator.Evidence, show bool) {
	r, limits := e.Response, e.Policy.Limits.WithDefaults()
	switch proxyError {
	case "dns_error":
		if e.Name != nil && isRcode(e.Name.Code) {
			m.string("rcode", e.Name.Code)
		}
	case "tls_alert_received":
		if e.TLS != nil && e.TLS.Alert > 0 {
			m.integer("alert-id", int64(e.TLS.Alert))
			if s, known := alertDescription(e.TLS.Alert); known {
				m.token("alert-message", s)
			}
		}
	case "http_response_header_section_size":
		if r != nil && r.Head != nil {
			m.integer("header-section-size", int64(r.Head.Size))
		}
	case "http_response_header_size":
		if r != nil && r.Head != nil {
			if name := nameOfLine(r, v.Offset); show && name != "" {
				m.string("header-name", name)
			}
			m.integer("header-size", int64(r.Head.Longest))
		}
	case "http_response_body_size":
		if r != nil && r.Body != nil {
			m.integer("body-size", max(r.Body.Bytes, r.Body.Length))
		}
	case "http_response_trailer_section_size":
		m.integer("trailer-section-size", int64(limits.Trailer)+1) // the budget, and the byte that did not fit
	case "http_response_transfer_coding", "http_response_content_coding":
		if coding := codingOf(e, proxyError); isItemToken(coding) && (show || knownCodings[coding]) {
			m.token("coding", coding)
		}
	}
}

// nameOfLine gives the name of the field line that the offset lies in, in lower
// case.
func nameOfLine(r *validator.Response, offset int64) string {
	if offset < 0 || offset > int64(len(r.Raw)) {
		return ""
	}
	start := bytes.LastIndexByte(r.Raw[:offset], '\n') + 1
	name, _, found := bytes.Cut(r.Raw[start:offset], []byte(":"))
	if !found || !isToken(string(name)) {
		return ""
	}
	return strings.ToLower(string(name))
}

// knownCodings are those that say nothing of who uses them.
var knownCodings = map[string]bool{
	"chunked": true, "identity": true, "gzip": true, "x-gzip": true, "deflate": true, "compress": true, "br": true, "zstd": true,
}

// codingOf gives the last coding that the head names, in lower case.
func codingOf(e *validator.Evidence, proxyError string) string {
	if e.Response == nil || e.Response.Head == nil {
		return ""
	}
	name := "Transfer-Encoding"
	if proxyError == "http_response_content_coding" {
		name = "Content-Encoding"
	}
	from := min(e.Response.Head.Offset, int64(len(e.Response.Raw)))
	head := e.Response.Raw[from:]
	var p wire.Parser
	p.Limits = e.Policy.Limits
	if _, err := p.Parse(head); err != nil {
		return ""
	}
	value, _ := p.Head.Get(head, name)
	codings := strings.Split(strings.ToLower(string(value)), ",")
	return strings.TrimSpace(codings[len(codings)-1])
}

// isRcode reports whether s is a code of a name server's, and not words of ours.
func isRcode(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// alertDescription gives IANA's description of a TLS alert, such as
// handshake_failure.
func alertDescription(n int) (s string, known bool) {
	s = strings.TrimPrefix(tls.AlertError(n).Error(), "tls: ")
	return strings.ReplaceAll(strings.ToLower(s), " ", "_"), !strings.Contains(s, "(")
}

// recommended gives the status that RFC 9209 section 2.3 recommends for a type of
// error, of those that verdicts have.
func recommended(proxyError string) int {
	switch proxyError {
	case "dns_timeout", "connection_timeout", "connection_read_timeout", "connection_write_timeout", "http_response_timeout":
		return http.StatusGatewayTimeout
	case "proxy_internal_error":
		return http.StatusInternalServerError
	}
	return http.StatusBadGateway
}
